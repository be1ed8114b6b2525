import type { ConnectionPlan, ServerPlan } from './plan.ts';
import type { World } from './world.ts';

/** What kind an answer is, for whoever judges what was made of it. */
export type AnswerKind =
  'tokens' | 'grant' | 'client' | 'request' | 'unnamed' | 'throttled' | 'failed';

/** An answer as the server gives it. */
export interface Answer {
  readonly kind: AnswerKind;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** The refresh token that it brings, if any. */
  readonly refreshToken?: string;
}

/** One consent and all tokens that descend from it. */
export interface Family {
  /** Counts consents. */
  readonly index: number;
  readonly plan: ConnectionPlan;
  readonly tokens: RefreshToken[];
  revoked: boolean;
}

/** A refresh token, as the server knows it. */
export interface RefreshToken {
  readonly value: string;
  readonly family: Family;
  /** Counts the refresh tokens of its family. */
  readonly order: number;
  usedAt: number | undefined;
}

/** An access token, as the server knows it. */
export interface AccessGrant {
  readonly value: string;
  readonly family: Family;
  readonly expiresAt: number;
  readonly lifeMs: number;
}

/** Passing moods of a server. */
export type Mood = 'well' | 'failing' | 'throttling' | 'refusing the client';

/** One authorization server with one client, and the API that its access tokens are for. What it remembers is the judge of every run. */
export class Server {
  readonly url: string;
  readonly clientId: string;
  secret = 'secret-0';
  mood: Mood = 'well';
  readonly plan: ServerPlan;
  readonly refreshTokens = new Map<string, RefreshToken>();
  readonly accessTokens = new Map<string, AccessGrant>();
  readonly families: Family[] = [];
  readonly #world: World;

  constructor(world: World, name: string, plan: ServerPlan) {
    this.#world = world;
    this.plan = plan;
    this.url = `https://${name}.example/token`;
    this.clientId = `client-of-${name}`;
  }

  /** A person consents. */
  consent(plan: ConnectionPlan): {
    readonly family: Family;
    readonly refreshToken: string;
    readonly access: AccessGrant;
  } {
    const family: Family = { index: this.families.length, plan, tokens: [], revoked: false };
    this.families.push(family);
    const { value } = this.#issueRefreshToken(family);
    return { family, refreshToken: value, access: this.#issueAccessToken(family) };
  }

  /** Whether a refresh token is good for another use now. */
  honours(value: string): boolean {
    const token = this.refreshTokens.get(value);
    return token !== undefined && !token.family.revoked && !this.#isSpent(token);
  }

  /** Whether the API accepts an access token now. */
  accepts(value: string): boolean {
    const token = this.accessTokens.get(value);
    if (token === undefined || token.family.revoked) return false;
    return this.#world.scheduler.now < token.expiresAt;
  }

  /** The connection that a refresh token was issued for. */
  planOf(value: string): ConnectionPlan | undefined {
    return this.refreshTokens.get(value)?.family.plan;
  }

  /** Answers a request to the token endpoint. */
  handle(form: URLSearchParams): Answer {
    const fault = this.#world.faultsOn ? this.#fault() : undefined;
    if (fault !== undefined) return fault;
    if (form.get('client_secret') !== this.secret) return refusal(401, 'client', 'invalid_client');
    const answer = this.#refresh(form.get('refresh_token') ?? '');
    const { rng, faultsOn } = this.#world;
    // Behind a gateway that gives up: the server has done its work, its answer is replaced.
    if (faultsOn && rng.chance(this.plan.gatewayFails)) return failure(502);
    return answer;
  }

  /** Forgets a grant, by order of its client. @see RFC 7009 */
  revoke(value: string): void {
    const token = this.refreshTokens.get(value);
    if (token !== undefined) token.family.revoked = true;
  }

  #fault(): Answer | undefined {
    const { rng } = this.#world;
    const { plan } = this;
    if (this.mood === 'failing') return failure(rng.pick([500, 502, 503, 504]));
    if (this.mood === 'throttling' || rng.chance(plan.throttles))
      return throttle(rng.between(1, 40));
    if (rng.chance(plan.fails)) return failure(rng.pick([500, 408, 504]));
    if (rng.chance(plan.refusesUnnamed)) {
      return { kind: 'unnamed', status: rng.pick([400, 403]), headers: {}, body: '' };
    }
    if (rng.chance(plan.refusesRequest)) return refusal(400, 'request', 'invalid_scope');
    return undefined;
  }

  #refresh(value: string): Answer {
    const { rng, scheduler } = this.#world;
    const token = this.refreshTokens.get(value);
    if (token === undefined || token.family.revoked) return refusal(400, 'grant', 'invalid_grant');
    const { family } = token;
    if (this.#isSpent(token)) {
      if (family.plan.revokesOnReuse) {
        family.revoked = true;
        this.#world.trace(
          'server',
          `${value} was used again: family ${String(family.index)} revoked`,
        );
      }
      return refusal(400, 'grant', 'invalid_grant');
    }
    token.usedAt ??= scheduler.now;
    const access = this.#issueAccessToken(family);
    const next = family.plan.kind === 'none' ? undefined : this.#issueRefreshToken(family);
    const echoed = next === undefined && rng.chance(0.2) ? value : next?.value;
    const body = JSON.stringify({
      access_token: access.value,
      token_type: rng.pick(['Bearer', 'bearer']),
      expires_in: access.lifeMs / 1_000,
      ...(echoed !== undefined && { refresh_token: echoed }),
    });
    const issued = echoed === undefined ? {} : { refreshToken: echoed };
    return { kind: 'tokens', status: 200, headers: JSON_TYPE, body, ...issued };
  }

  #isSpent({ family, usedAt }: RefreshToken): boolean {
    if (usedAt === undefined) return false;
    const { kind, graceMs } = family.plan;
    if (kind === 'single-use') return true;
    return kind === 'grace' && this.#world.scheduler.now - usedAt > graceMs;
  }

  #issueRefreshToken(family: Family): RefreshToken {
    const order = family.tokens.length;
    const value = `rt-${this.clientId}-${String(family.index)}-${String(order)}-${this.#world.rng.hex()}`;
    const token: RefreshToken = { value, family, order, usedAt: undefined };
    family.tokens.push(token);
    this.refreshTokens.set(value, token);
    return token;
  }

  #issueAccessToken(family: Family): AccessGrant {
    const { rng, scheduler } = this.#world;
    const lifeMs = family.plan.lifeMs;
    const value = `at-${String(family.index)}-${rng.hex()}`;
    const access = { value, family, lifeMs, expiresAt: scheduler.now + lifeMs };
    this.accessTokens.set(value, access);
    return access;
  }
}

const JSON_TYPE = { 'content-type': 'application/json' };

function refusal(status: number, kind: AnswerKind, error: string): Answer {
  return { kind, status, headers: JSON_TYPE, body: JSON.stringify({ error }) };
}

function failure(status: number): Answer {
  return { kind: 'failed', status, headers: {}, body: '<html>bad gateway</html>' };
}

function throttle(seconds: number): Answer {
  const headers = { 'retry-after': String(seconds) };
  return { kind: 'throttled', status: 429, headers, body: '' };
}
