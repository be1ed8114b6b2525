import type { ConnectionRecord } from '../../src/connection/record.ts';
import { openToken } from '../../src/connection/token-set.ts';
import { standing } from '../../src/connection/states.ts';
import type { Commit, Row, StoredNotice } from './database.ts';
import type { Oracle } from './oracle.ts';
import type { Process } from './process.ts';
import type { RefreshToken } from './server.ts';
import type { World } from './world.ts';

/** The secrets that a connection holds, opened. */
export interface Held {
  readonly generation: number;
  readonly refreshToken: RefreshToken;
  readonly accessToken: string | undefined;
}

/** Judges every commit: no token is lost or replaced by an older one, and whoever must act is told once. */
export class StoreJudge {
  readonly held = new Map<string, Held>();
  /** The connection that a consent belongs to, as `client family`. */
  readonly #owners = new Map<string, string>();
  readonly #changedAt = new Map<string, number>();
  readonly #world: World;
  readonly #oracle: Oracle;

  constructor(world: World, oracle: Oracle) {
    this.#world = world;
    this.#oracle = oracle;
  }

  /** The connection that a refresh token belongs to; undefined when it was never stored. */
  connectionOf({ family }: RefreshToken): string | undefined {
    return this.#owners.get(keyOf(family));
  }

  /** Sees a commit. */
  observe(commit: Commit<Process>): void {
    const { before, after } = commit;
    for (const [id, row] of after.rows) {
      const old = before.rows.get(id);
      if (old === row) continue;
      this.#changedAt.set(id, this.#world.scheduler.now);
      if (old === undefined) this.#hold(row.connection);
      else this.#changed(commit, old, row);
    }
    for (const id of before.rows.keys()) if (!after.rows.has(id)) this.#removed(id);
    this.#judgeClients(commit);
  }

  /** A process tells that a token set came. */
  announced(by: Process, set: { readonly connection: string; readonly generation: number }): void {
    const rows = [...this.#world.database.synced.rows.values()];
    const row = rows.find(({ connection }) => connection.name === set.connection);
    this.#oracle.expect(
      row === undefined || row.connection.generation >= set.generation,
      'I11',
      () =>
        `${by.name} told of generation ${String(set.generation)} of ${set.connection} before it was on disk`,
    );
  }

  /** The store after the power was lost: nothing that brought a token may be missing. */
  afterPowerLoss(): void {
    const { rows } = this.#world.database.image;
    for (const [id, { generation }] of this.held) {
      const now = rows.get(id)?.connection.generation ?? 0;
      this.#oracle.expect(
        now >= generation,
        'I1',
        () =>
          `${id} is back at generation ${String(now)} after a loss of power; it was at ${String(generation)}`,
      );
    }
    for (const { connection } of rows.values()) {
      if (!this.held.has(connection.id)) this.#hold(connection);
    }
  }

  /** When a connection was last written to, in true time. */
  changedAt(id: string): number {
    return this.#changedAt.get(id) ?? 0;
  }

  #changed({ by, durable, before, after }: Commit<Process>, old: Row, row: Row): void {
    const was = old.connection;
    const is = row.connection;
    const { sends } = this.#oracle;
    const client = before.clients.get(was.clientId);
    if (is.claim !== undefined && is.claim.attemptId !== was.claim?.attemptId) {
      sends.claimed(by, was, client?.refusedAt !== undefined, is.claim.attemptId);
    }
    if (is.intent !== undefined && is.intent.attemptId !== was.intent?.attemptId) sends.armed(is);
    if (is.generation !== was.generation) this.#renewed(by, was, is);
    else this.#kept(was, is);
    sends.committed(by, old, row, durable);
    this.#judgeNotices(was, is, after.notices.slice(before.notices.length));
  }

  #renewed(by: Process, was: ConnectionRecord, is: ConnectionRecord): void {
    const old = this.held.get(is.id);
    const held = this.#hold(is);
    this.#oracle.calls.renewed(is.id, is.generation);
    if (old === undefined || held === undefined) return;
    this.#world.trace(
      by.name,
      `stored ${is.name} generation ${String(is.generation)}: ${held.refreshToken.value}`,
    );
    this.#oracle.expect(
      is.generation === was.generation + 1,
      'I5',
      () => `generation ${String(was.generation)} of ${is.name} became ${String(is.generation)}`,
    );
    const isSameGrant = old.refreshToken.family === held.refreshToken.family;
    const isNewer = isSameGrant
      ? held.refreshToken.order >= old.refreshToken.order || isRepeatable(held.refreshToken)
      : held.refreshToken.family.index > old.refreshToken.family.index;
    this.#oracle.expect(
      isNewer,
      'I1',
      () =>
        `${old.refreshToken.value} of ${is.name} was replaced by the older ${held.refreshToken.value}`,
    );
  }

  #kept(was: ConnectionRecord, is: ConnectionRecord): void {
    if (was.tokens === is.tokens) return;
    const held = this.held.get(is.id)?.refreshToken.value;
    const now = openToken(this.#world.sealer, is, 'refreshToken')?.reveal();
    this.#oracle.expect(
      now === held,
      'I1',
      () =>
        `the refresh token of ${is.name} was ${String(held)} and is ${String(now)}, within one generation`,
    );
  }

  #hold(connection: ConnectionRecord): Held | undefined {
    const { sealer } = this.#world;
    const value = openToken(sealer, connection, 'refreshToken')?.reveal() ?? '';
    const refreshToken = this.#world.refreshToken(value);
    if (refreshToken === undefined) {
      this.#oracle.report('I1', `${connection.name} holds ${value}, which no server issued`);
      return undefined;
    }
    this.#owners.set(keyOf(refreshToken.family), connection.id);
    const accessToken = openToken(sealer, connection, 'accessToken')?.reveal();
    const held = { generation: connection.generation, refreshToken, accessToken };
    this.held.set(connection.id, held);
    return held;
  }

  #removed(id: string): void {
    this.held.delete(id);
    this.#oracle.expect(
      this.#oracle.calls.wasDisconnected(id),
      'I1',
      () => `${id} was removed without an order`,
    );
  }

  #judgeNotices(was: ConnectionRecord, is: ConnectionRecord, added: readonly StoredNotice[]): void {
    const before = standing(was.state);
    const now = standing(is.state);
    const told = added.filter(({ kind }) => kind === 'uncertain' || kind === 'attention');
    const isEntered = now.kind === 'uncertain' || now.kind === 'attention';
    const isSame =
      before.kind === now.kind &&
      (now.kind !== 'attention' || before.kind !== 'attention' || before.code === now.code);
    const isRight =
      isEntered && !isSame ? told.length === 1 && told[0]?.kind === now.kind : told.length === 0;
    this.#oracle.expect(
      isRight,
      'I7',
      () =>
        `${is.name} went from ${before.kind} to ${now.kind} with ${String(told.length)} notices`,
    );
  }

  #judgeClients({ before, after }: Commit<Process>): void {
    if (before.clients === after.clients) return;
    const refused = [...after.clients.values()].filter(
      ({ id, refusedAt }) =>
        refusedAt !== undefined && before.clients.get(id)?.refusedAt === undefined,
    );
    const told = after.notices
      .slice(before.notices.length)
      .filter(({ kind }) => kind === 'client_refused');
    if (before.notices.length > after.notices.length) return;
    this.#oracle.expect(
      told.length === Math.min(refused.length, 1),
      'I7',
      () => `${String(refused.length)} clients became refused with ${String(told.length)} notices`,
    );
  }
}

function keyOf(family: RefreshToken['family']): string {
  return `${String(family.plan.server)} ${String(family.index)}`;
}

/** Where every refresh token of the grant stays valid, it does not matter which of them is held. */
function isRepeatable({ family }: RefreshToken): boolean {
  return family.plan.kind === 'none' || family.plan.kind === 'reusable';
}
