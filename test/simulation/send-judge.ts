import type { ConnectionRecord } from '../../src/connection/record.ts';
import { claimFactsOf, type ClaimFacts } from './claim-facts.ts';
import type { Row } from './database.ts';
import { standing } from '../../src/connection/states.ts';
import type { Exchange } from './net.ts';
import type { Oracle } from './oracle.ts';
import type { Process } from './process.ts';
import type { RefreshToken } from './server.ts';
import type { World } from './world.ts';

const HARMLESS_CLAIM_MS = 300_000;
const STORM_WINDOW_MS = 60_000;
const STORM = 14;
/** Answers that say no to one refresh token, so that another may fare better. */
const REFUSALS: ReadonlySet<string> = new Set(['grant', 'request', 'unnamed']);

/** Judges every request to a token endpoint, and whether what came back was written down. */
export class SendJudge {
  /** Requests so far. */
  count = 0;
  readonly #byToken = new Map<string, Exchange[]>();
  readonly #open: Exchange[] = [];
  readonly #claims = new Map<string, ClaimFacts>();
  readonly #armed = new Map<string, Set<string>>();
  /** True time at which an attempt wrote its intent, and so decided to send for good. */
  readonly #armedAt = new Map<string, number>();
  readonly #spilled = new Set<string>();
  readonly #recent = new Map<string, number[]>();
  readonly #clockSets: number[] = [];
  readonly #world: World;
  readonly #oracle: Oracle;

  constructor(world: World, oracle: Oracle) {
    this.#world = world;
    this.#oracle = oracle;
  }

  /** Requests that used a refresh token. */
  historyOf(refreshToken: string): readonly Exchange[] {
    return this.#byToken.get(refreshToken) ?? [];
  }

  /** How many attempts of a generation may have been sent. */
  armedOf(id: string, generation: number): number {
    return this.#armed.get(`${id} ${String(generation)}`)?.size ?? 0;
  }

  /** An attempt wrote its intent. */
  armed({ id, generation, intent }: ConnectionRecord): void {
    const key = `${id} ${String(generation)}`;
    const attempts = this.#armed.get(key) ?? new Set();
    const attemptId = intent?.attemptId ?? '';
    this.#armed.set(key, attempts.add(attemptId));
    this.#armedAt.set(attemptId, this.#world.scheduler.now);
  }

  /** An attempt took the right to send; `was` is the connection before. */
  claimed(by: Process, was: ConnectionRecord, isClientRefused: boolean, attemptId: string): void {
    const facts = claimFactsOf(this.#world, by, was);
    this.#claims.set(attemptId, facts);
    const { kind } = was.state;
    const isStopped = kind === 'disconnected' || kind === 'paused';
    this.#oracle.expect(!isStopped, 'I8', () => `${was.name} was claimed while ${kind}`);
    const isTerminal = kind === 'attention' || isClientRefused;
    this.#oracle.expect(
      !isTerminal || facts.anyway,
      'I8',
      () => `${was.name} was claimed after a terminal answer, without an order (${by.name})`,
    );
    const isEarly = kind === 'uncertain' && !facts.useless && !facts.anyway;
    this.#oracle.expect(
      !isEarly,
      'I2',
      () => `${was.name} was claimed while uncertain and its access token still works (${by.name})`,
    );
  }

  /** The bytes of a request leave. */
  sent(exchange: Exchange): void {
    this.count++;
    const { refreshToken: value, process, attemptId } = exchange;
    const history = this.#byToken.get(value) ?? [];
    const token = this.#world.refreshToken(value);
    const connectionId = token && this.#oracle.store.connectionOf(token);
    this.#world.trace(process.name, `sends ${value} (attempt ${attemptId})`);
    if (token === undefined || connectionId === undefined) {
      this.#oracle.report('I9', `${value} was sent, which no connection holds`);
      return;
    }
    this.#judgeOverlap(exchange, token, history);
    this.#judgeRepetition(exchange, token, history);
    this.#judgeNeed(exchange, token, history, connectionId);
    this.#judgeStorm(connectionId);
    this.#byToken.set(value, [...history, exchange]);
    this.#open.push(exchange);
  }

  /** A process wrote what an attempt came to: what it was answered must be in there now. */
  committed(by: Process, old: Row, row: Row, durable: boolean): void {
    const { connection, leftovers } = row;
    if (!isOutcome(old, row)) return;
    for (const exchange of this.#open) {
      if (exchange.process !== by || !exchange.ended || exchange.settled) continue;
      const token = this.#world.refreshToken(exchange.refreshToken);
      if (token === undefined || this.#oracle.store.connectionOf(token) !== connection.id) continue;
      if (connection.claim?.attemptId === exchange.attemptId) continue;
      const isWritten = connection.intent?.attemptId !== exchange.attemptId;
      if (!isWritten) exchange.abandoned = true;
      if (exchange.abandoned) continue;
      this.#settle(
        exchange,
        connection,
        leftovers.map(({ attemptId }) => attemptId),
        durable,
      );
    }
    this.#forgetEnded();
    this.#settleSpilled(connection);
  }

  /** What a process put into a file before it ended, another one has recorded: the connection is well, and no intent of it stands any more. */
  #settleSpilled({ id, intent, state }: ConnectionRecord): void {
    for (const exchange of [...this.#byToken.values()].flat()) {
      const { attemptId, answer, process } = exchange;
      if (exchange.settled || process.alive || !this.#spilled.has(attemptId)) continue;
      if (answer?.kind !== 'tokens' || intent?.attemptId === attemptId) continue;
      const held = this.#oracle.store.held.get(id)?.refreshToken.value;
      const isHeld = held === (answer.refreshToken ?? exchange.refreshToken);
      exchange.settled = isHeld && state.kind === 'active';
    }
  }

  /** Somebody set the clock. */
  clockSet(): void {
    this.#clockSets.push(this.#world.scheduler.now);
  }

  /** A process wrote an answer to a file, where it is safe from then on. */
  spilled(attemptId: string): void {
    this.#spilled.add(attemptId);
  }

  /** What was safe once must be in the store at the end, unless something newer is. */
  judgeEnd(): void {
    for (const exchange of [...this.#byToken.values()].flat()) {
      const { attemptId, answer } = exchange;
      const token = this.#world.refreshToken(answer?.refreshToken ?? '');
      if (!this.#spilled.has(attemptId) || token === undefined || exchange.settled) continue;
      const id = this.#oracle.store.connectionOf(token) ?? '';
      const held = this.#oracle.store.held.get(id)?.refreshToken;
      if (held?.family !== token.family || held.order >= token.order) continue;
      const isPutAway = isLeftIn(this.#world.database.image.rows.get(id), attemptId);
      this.#oracle.expect(isPutAway, 'I1', () => `${token.value} was spilled and is lost`);
    }
  }

  #settle(
    exchange: Exchange,
    connection: ConnectionRecord,
    leftovers: readonly string[],
    durable: boolean,
  ): void {
    const { answer, delivered, partial, attemptId } = exchange;
    const issued = answer?.refreshToken;
    const isPutAway = leftovers.includes(attemptId);
    if (!delivered) {
      const isInPart = issued !== undefined && partial?.includes(issued) === true;
      this.#oracle.expect(
        !isInPart || isPutAway,
        'I1',
        () => `the cut answer with ${String(issued)} is in no quarantine`,
      );
      return;
    }
    if (answer === undefined || answer.kind === 'failed') return;
    const isRefused = answer.kind === 'grant' || answer.kind === 'request';
    // Another attempt was given tokens meanwhile, and nobody can tell which the server did first; or this one went on, by a token that was put away.
    const isOvertaken = connection.generation > (this.#claims.get(attemptId)?.generation ?? 0);
    if (isRefused && (isOvertaken || this.#wentOn(exchange))) {
      // The next request finds out.
      exchange.abandoned = true;
      return;
    }
    exchange.settled = true;
    if (issued !== undefined) {
      const isHeld = this.#oracle.store.held.get(connection.id)?.refreshToken.value === issued;
      this.#oracle.expect(isHeld || isPutAway, 'I1', () => `${issued} came and was dropped`);
      // Another process may have found its file, and put it away before its own did.
      const onDisk = this.#world.database.synced.rows.get(connection.id);
      const isSynced = durable || isLeftIn(onDisk, attemptId);
      this.#oracle.expect(isSynced, 'I1', () => `${issued} was written without being synced`);
    }
    const history = this.historyOf(exchange.refreshToken);
    const isLast = history.at(-1) === exchange;
    const isCurrent =
      this.#oracle.store.held.get(connection.id)?.refreshToken.value === exchange.refreshToken;
    if (!isRefused || !isLast || !isCurrent || isPutAway) return;
    const { kind } = standing(connection.state);
    this.#oracle.expect(
      kind === 'attention' || kind === 'disconnected',
      'I8',
      () => `${connection.name} is ${kind} after the answer ${answer.kind}`,
    );
  }

  /** Whether its attempt sent another refresh token after it, which the server did not refuse. */
  #wentOn({ attemptId, refreshToken, sentAt }: Exchange): boolean {
    return [...this.#byToken.values()]
      .flat()
      .some(
        (other) =>
          other.attemptId === attemptId &&
          other.refreshToken !== refreshToken &&
          other.sentAt >= sentAt &&
          !REFUSALS.has(other.answer?.kind ?? ''),
      );
  }

  #forgetEnded(): void {
    const { length } = this.#open;
    for (let i = length - 1; i >= 0; i--) {
      const one = this.#open[i];
      if (one?.settled === true || one?.abandoned === true || one?.process.alive === false)
        this.#open.splice(i, 1);
    }
  }

  #judgeOverlap(exchange: Exchange, { family }: RefreshToken, history: readonly Exchange[]): void {
    const { scheduler, clocksAgree } = this.#world;
    const flying = history.filter(({ ended, process }) => !ended && process.alive);
    const isHarmless = family.plan.rotation === 'none' || family.plan.rotation === 'reusable';
    const young = flying.filter(({ attemptId }) => {
      const claimedAt = this.#claims.get(attemptId)?.at ?? 0;
      return clocksAgree && scheduler.now - claimedAt < HARMLESS_CLAIM_MS;
    });
    // Where it is harmless, a claim may be taken from a process that is stopped, which cannot know how late it sends.
    const heldSince = this.#claims.get(exchange.attemptId)?.at ?? scheduler.now;
    const isLate = scheduler.now - heldSince >= HARMLESS_CLAIM_MS;
    const clashing = isHarmless ? (isLate ? [] : young) : flying;
    this.#oracle.expect(
      clashing.length === 0,
      'I3',
      () =>
        `${exchange.process.name} sends ${exchange.refreshToken} while ${clashing[0]?.process.name ?? ''} waits for its answer`,
    );
  }

  #judgeRepetition(exchange: Exchange, token: RefreshToken, history: readonly Exchange[]): void {
    const { rotation, graceMs } = token.family.plan;
    if (rotation === 'none' || rotation === 'reusable') return;
    const doubts = doubtsOf(history);
    const facts = this.#claims.get(exchange.attemptId);
    const first = doubts[0];
    if (first === undefined || facts === undefined || facts.anyway) return;
    const { calls, store } = this.#oracle;
    const connectionId = store.connectionOf(token) ?? '';
    if (calls.hasPersonActed(connectionId, first.sentAt, exchange.sentAt)) return;
    // A process that is stopped once its intent is written cannot know how late it sends.
    const decidedAt = this.#armedAt.get(exchange.attemptId) ?? exchange.sentAt;
    const inGrace = rotation === 'grace' && decidedAt - first.sentAt < graceMs;
    const isLastTry = facts.useless && doubts.length === 1 && this.#world.plan.lastTry;
    this.#oracle.expect(
      inGrace || isLastTry,
      'I2',
      () =>
        `${exchange.process.name} sends ${exchange.refreshToken} again (${String(doubts.length)} answers in doubt, access token ${facts.useless ? 'useless' : 'alive'})`,
    );
  }

  #judgeNeed(
    { refreshToken, attemptId, process, sentAt }: Exchange,
    { family }: RefreshToken,
    history: readonly Exchange[],
    connectionId: string,
  ): void {
    const { calls, store } = this.#oracle;
    const facts = this.#claims.get(attemptId);
    const isStray = store.held.get(connectionId)?.refreshToken.value !== refreshToken;
    const isNeeded = isStray || history.length > 0 || facts?.needed === true;
    this.#oracle.expect(
      isNeeded || !this.#world.clocksAgree,
      'I9',
      () => `${process.name} sends ${refreshToken} although nothing was due and nobody asked`,
    );
    const terminal = sinceTokens(history).find(
      ({ settled, answer }) => settled && (answer?.kind === 'grant' || answer?.kind === 'request'),
    );
    // A process that is stopped once its intent is written, and whose claim may be taken, cannot know what its taker was told.
    const decidedAt = this.#armedAt.get(attemptId) ?? sentAt;
    const isOrdered =
      terminal === undefined ||
      decidedAt < terminal.sentAt ||
      calls.hasPersonActed(connectionId, terminal.sentAt, sentAt);
    this.#oracle.expect(
      isOrdered,
      'I8',
      () =>
        `${refreshToken} of family ${String(family.index)} is sent again after a terminal answer`,
    );
  }

  #judgeStorm(connectionId: string): void {
    const { now } = this.#world.scheduler;
    const recent = (this.#recent.get(connectionId) ?? []).filter(
      (at) => at > now - STORM_WINDOW_MS,
    );
    recent.push(now);
    this.#recent.set(connectionId, recent);
    const since = now - 2 * STORM_WINDOW_MS;
    const ordered = this.#oracle.calls.ordersSince(connectionId, since);
    // Each makes tokens expire, or seem to come from the future.
    const clockSets = this.#clockSets.filter((at) => at > since).length;
    // Processes whose clocks differ by more than a token lives refresh in turns.
    const most = this.#world.clocksAgree ? STORM : 2 * STORM;
    this.#oracle.expect(
      recent.length <= most + 2 * ordered + clockSets,
      'I10',
      () => `${String(recent.length)} requests of one connection within a minute`,
    );
  }
}

function isLeftIn(row: Row | undefined, attemptId: string): boolean {
  return row?.leftovers.some((leftover) => leftover.attemptId === attemptId) === true;
}

/** Whether a write may be what an attempt came to; a clock that was set back, a pause or a rename concern no attempt. */
function isOutcome(
  { connection: was, leftovers: before }: Row,
  { connection: is, leftovers }: Row,
): boolean {
  return (
    is.generation !== was.generation ||
    leftovers.length !== before.length ||
    standing(is.state).kind !== standing(was.state).kind ||
    is.lastError?.at !== was.lastError?.at ||
    is.claim?.attemptId !== was.claim?.attemptId ||
    is.intent?.attemptId !== was.intent?.attemptId
  );
}

/** Requests whose answers are in doubt. A token set that came and was stored ends the doubts before it, even if it kept the refresh token. */
export function doubtsOf(history: readonly Exchange[]): readonly Exchange[] {
  return sinceTokens(history).filter(({ settled }) => !settled);
}

/** What was sent after the last request whose token set was stored. */
function sinceTokens(history: readonly Exchange[]): readonly Exchange[] {
  const last = history.findLastIndex(({ settled, answer }) => settled && answer?.kind === 'tokens');
  return history.slice(last + 1);
}
