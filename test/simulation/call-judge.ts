import type { AccessToken } from '../../src/access-token.ts';
import type { ConnectionRecord } from '../../src/connection/record.ts';
import { EvergrantError } from '../../src/errors.ts';
import type { Oracle } from './oracle.ts';
import type { Process } from './process.ts';
import { earlyMs } from './claim-facts.ts';
import type { World } from './world.ts';

/** What a person or program asks of a keeper. */
export type CallKind =
  | 'token'
  | 'demanding token'
  | 'fetch'
  | 'refresh'
  | 'refresh anyway'
  | 'resume'
  | 'disconnect'
  | 'other';

/** One call, from its beginning. */
export interface Call {
  readonly process: Process;
  readonly kind: CallKind;
  readonly connectionId: string | undefined;
  readonly name: string;
  /** Generation in the store when it began. */
  readonly generation: number;
  readonly startedAt: number;
  readonly monotonicAt: number;
  readonly disturbances: number;
  /** What its process had spent stopped when it began. */
  readonly stoppedMs: number;
  /** No older generation may be handed out. */
  readonly floor: number;
  /** What the store promises a caller at that instant. */
  readonly promise: 'at once' | 'after a moment' | 'nothing';
  readonly grantId: string | undefined;
  readonly timeoutMs: number;
  aborted: boolean;
  done: boolean;
  failed: boolean;
}

const AT_ONCE_MS = 2_500;
const A_MOMENT_MS = 5_000 + AT_ONCE_MS;
const ORDER_LASTS_MS = 660_000;
/** A caller may read the connection so long after it began to ask. */
const READING_MS = 1_500;

/** Judges every call: what it returns, and how long it takes. */
export class CallJudge {
  /** Access tokens handed out. */
  served = 0;
  readonly calls: Call[] = [];
  readonly #floors = new Map<string, number>();
  /** Access tokens that the API refused, and whether it named them as the reason. */
  readonly #rejected = new Map<string, boolean>();
  readonly #renewedAt = new Map<string, number>();
  readonly #world: World;
  readonly #oracle: Oracle;

  constructor(world: World, oracle: Oracle) {
    this.#world = world;
    this.#oracle = oracle;
  }

  /** Somebody begins to ask. */
  begin(process: Process, kind: CallKind, name: string, timeoutMs: number): Call {
    const { database, scheduler } = this.#world;
    const connection = [...database.image.rows.values()]
      .map((row) => row.connection)
      .find((one) => one.name === name);
    const call: Call = {
      process,
      kind,
      name,
      timeoutMs,
      connectionId: connection?.id,
      grantId: connection?.grantId,
      generation: connection?.generation ?? 0,
      startedAt: scheduler.now,
      monotonicAt: process.clock.monotonic(),
      disturbances: process.disturbances + this.#world.sleeps,
      stoppedMs: process.stoppedMs,
      floor: this.#floors.get(`${process.name} ${connection?.id ?? ''}`) ?? 0,
      promise: connection === undefined ? 'nothing' : this.#promiseOf(process, kind, connection),
      aborted: false,
      done: false,
      failed: false,
    };
    this.calls.push(call);
    return call;
  }

  /** It was handed a token. */
  returned(call: Call, token: AccessToken): void {
    this.#ended(call);
    this.served++;
    const { process } = call;
    const access = this.#world.accessToken(token.value);
    if (access === undefined) {
      this.#oracle.report('I4', `${process.name} handed out a token that no server issued`);
      return;
    }
    const { now } = this.#world.scheduler;
    const isAlive = this.#world.clocksAgree
      ? now <= access.expiresAt
      : process.clock.now() < token.expiresAt;
    this.#oracle.expect(
      isAlive,
      'I4',
      () =>
        `${process.name} handed out a token that expired ${String(now - access.expiresAt)} ms before`,
    );
    const first = access.family.tokens[0];
    const connectionId = first && this.#oracle.store.connectionOf(first);
    if (connectionId !== undefined) this.#judgeGeneration(call, token, connectionId);
  }

  /** It failed. */
  failed(call: Call, error: unknown): void {
    this.#ended(call);
    call.failed = true;
    const why = error instanceof Error ? error.message : String(error);
    this.#world.trace(call.process.name, `${call.kind} ${call.name} failed: ${why}`);
    const isTyped = error instanceof EvergrantError || call.aborted;
    this.#oracle.expect(isTyped, 'crash', () => `${call.kind} failed with ${String(error)}`);
    const isPromised = call.promise !== 'nothing' && this.#isComparable(call);
    this.#oracle.expect(
      !isPromised || call.aborted,
      'I6',
      () => `${call.process.name} withheld the living token of ${call.name}: ${why}`,
    );
  }

  /** It came to its end without a token to judge. */
  finished(call: Call): void {
    this.#ended(call);
  }

  /** The API refused an access token; `isNamed`: it said that the token is the reason. */
  rejected(value: string, isNamed: boolean): void {
    this.#rejected.set(value, isNamed || this.#rejected.get(value) === true);
  }

  /** Whether the API refused an access token, and if so, whether it named it. */
  rejection(value: string | undefined): 'none' | 'bare' | 'named' {
    const isNamed = value === undefined ? undefined : this.#rejected.get(value);
    if (isNamed === undefined) return 'none';
    return isNamed ? 'named' : 'bare';
  }

  /** Whether a call of a process wants a generation newer than this one. */
  hasOrder(by: Process, id: string, generation: number, kind: 'hand' | 'anyway'): boolean {
    return this.calls.some(
      (call) =>
        call.process === by &&
        call.connectionId === id &&
        (kind === 'hand' || this.#ageOf(call) < ORDER_LASTS_MS) &&
        this.#meant(call, generation) &&
        (kind === 'anyway' ? call.kind === 'refresh anyway' : isOrder(call)),
    );
  }

  /** How long its process has run since it began: while it is stopped, or its machine sleeps, it cannot know how late it does what it was asked. */
  #ageOf({ process, monotonicAt, stoppedMs }: Call): number {
    return process.clock.monotonic() - monotonicAt - (process.stoppedMs - stoppedMs);
  }

  /** Orders by hand for a connection since an instant. */
  ordersSince(id: string, since: number): number {
    return this.calls.filter(
      (call) => call.connectionId === id && call.startedAt >= since && isOrder(call),
    ).length;
  }

  /** Whether a person resumed a connection, or insisted, between two instants. */
  hasPersonActed(id: string, from: number, to: number): boolean {
    return this.calls.some(
      ({ connectionId, kind, startedAt }) =>
        connectionId === id &&
        startedAt >= from - ORDER_LASTS_MS &&
        startedAt <= to &&
        (kind === 'resume' || kind === 'refresh anyway'),
    );
  }

  wasDisconnected(id: string): boolean {
    return this.calls.some((call) => call.connectionId === id && call.kind === 'disconnect');
  }

  /** Nobody may wait for ever. */
  judgeEnd(): void {
    const stuck = this.calls.find((call) => !call.done && call.process.alive);
    this.#oracle.expect(
      stuck === undefined,
      'I12',
      () => `${stuck?.kind ?? ''} ${stuck?.name ?? ''} at ${stuck?.process.name ?? ''} never ended`,
    );
  }

  #ended(call: Call): void {
    call.done = true;
    const took = call.process.clock.monotonic() - call.monotonicAt;
    if (call.disturbances !== call.process.disturbances + this.#world.sleeps) return;
    const isPatient = call.kind.includes('token') || call.kind.startsWith('refresh');
    this.#oracle.expect(
      !isPatient || took <= call.timeoutMs + AT_ONCE_MS,
      'I12',
      () =>
        `${call.kind} ${call.name} took ${String(took)} ms instead of ${String(call.timeoutMs)}`,
    );
    if (call.promise === 'nothing' || !this.#isComparable(call)) return;
    const most = call.promise === 'at once' ? AT_ONCE_MS : A_MOMENT_MS;
    this.#oracle.expect(
      took <= most,
      'I6',
      () =>
        `${call.process.name} waited ${String(took)} ms for ${call.name}, whose token lives (${call.promise})`,
    );
  }

  /** What the store held when the call began only counts if nobody and nothing came between. */
  #isComparable(call: Call): boolean {
    const { database, trouble, clocksAgree } = this.#world;
    if (!call.kind.includes('token') || !clocksAgree || call.process.closing) return false;
    if (call.disturbances !== call.process.disturbances + this.#world.sleeps) return false;
    if (trouble.ailment !== 'none' || trouble.lastAt >= call.startedAt) return false;
    const now = call.connectionId && database.image.rows.get(call.connectionId)?.connection;
    return (
      now !== undefined && now !== '' && now.grantId === call.grantId && now.name === call.name
    );
  }

  #judgeGeneration(call: Call, { generation, value }: AccessToken, connectionId: string): void {
    const { process } = call;
    const { database } = this.#world;
    this.#oracle.expect(
      generation >= call.floor || connectionId !== call.connectionId,
      'I5',
      () =>
        `${process.name} handed out generation ${String(generation)} after ${String(call.floor)}`,
    );
    const key = `${process.name} ${connectionId}`;
    this.#floors.set(key, Math.max(this.#floors.get(key) ?? 0, generation));
    const synced = database.synced.rows.get(connectionId)?.connection.generation;
    const isGone = !database.image.rows.has(connectionId);
    this.#oracle.expect(
      isGone || (synced ?? 0) >= generation,
      'I11',
      () => `${process.name} handed out ${value} before its refresh token was on disk`,
    );
  }

  #promiseOf(process: Process, kind: CallKind, connection: ConnectionRecord): Call['promise'] {
    const { tokens, state } = connection;
    if (tokens?.accessToken === undefined || state.kind === 'disconnected') return 'nothing';
    const changedAt = this.#oracle.store.changedAt(connection.id);
    if (this.#world.scheduler.now - changedAt < READING_MS) return 'nothing';
    const left = Math.min(tokens.accessExpiresAt - process.clock.now(), tokens.accessLifeMs);
    const isFresh = left > earlyMs(tokens.accessLifeMs) + READING_MS;
    if (isFresh && kind === 'token') return 'at once';
    return left > A_MOMENT_MS + READING_MS ? 'after a moment' : 'nothing';
  }

  /** A call means the generation that it finds when it reads the connection, a moment after it began. */
  #meant(call: Call, generation: number): boolean {
    if (generation <= call.generation) return generation === call.generation;
    const at = this.#renewedAt.get(`${call.connectionId ?? ''} ${String(generation)}`) ?? 0;
    return at - call.startedAt < READING_MS;
  }

  /** A connection got a new generation. */
  renewed(id: string, generation: number): void {
    this.#renewedAt.set(`${id} ${String(generation)}`, this.#world.scheduler.now);
  }
}

function isOrder({ kind }: Call): boolean {
  return kind === 'refresh' || kind === 'refresh anyway' || kind === 'demanding token';
}
