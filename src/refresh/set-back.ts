import { sabotaged } from '#failpoints';
import { cutToClock } from '../connection/freshness.ts';
import type { ConnectionRecord } from '../connection/record.ts';
import { StoreError } from '../errors.ts';
import type { Engine } from './engine.ts';
import { idPagesOf } from './pages.ts';

/*
 * A clock that was set back makes every instant in the store lie too far ahead: tokens seem to live longer than they do, and come due too
 * late. Nobody can tell by how much for a set that another process stored, so all of them are renewed, as fast as the budget allows.
 */

const MINUTE_MS = 60_000;

/** Notices that the clock was set back, and makes due what cannot be trusted any more. */
export class ClockWatch {
  readonly #engine: Engine;
  /** Wall time less monotonic time at the last look. */
  #offset: number;
  #isFirst = true;

  /** Takes the clock of this moment for right, until a first look at the store tells otherwise. */
  constructor(engine: Engine) {
    this.#engine = engine;
    this.#offset = offsetOf(engine);
  }

  /**
   * Looks at the clock, and makes everything due when it was set back by more than a minute since the last look. Where the
   * store fails, the next look finds it out once more.
   */
  async look(): Promise<void> {
    const offset = offsetOf(this.#engine);
    const wasSetBack = this.#offset - offset > MINUTE_MS && !sabotaged('set-back');
    if (wasSetBack || (this.#isFirst && (await this.#remembersFuture()))) await this.#distrust();
    this.#offset = offset;
    this.#isFirst = false;
  }

  /** Across a restart only what the store remembers can tell. */
  async #remembersFuture(): Promise<boolean> {
    const { store, clock } = this.#engine;
    const latest = clock.now() + MINUTE_MS;
    const endpoints = await store.endpoints();
    if (endpoints.some(({ recent }) => recent.some((at) => at > latest))) return true;
    return store.remembersAfter(latest);
  }

  async #distrust(): Promise<void> {
    const { store, clock } = this.#engine;
    let isTold = false;
    for await (const page of idPagesOf(store)) {
      if (!isTold) this.#tell();
      isTold = true;
      const changes = page.map((id) =>
        store.transition(id, ({ connection }) => dueAgain(connection, clock.now()), {
          durable: false,
        }),
      );
      await Promise.all(changes.map(unlessDamaged));
    }
  }

  #tell(): void {
    const message = 'the clock was set back; all access tokens are renewed';
    this.#engine.emit('warning', { connection: undefined, message });
  }
}

/** What is damaged is not served, so it need not be renewed either; it must keep no other from that. */
async function unlessDamaged(change: Promise<unknown>): Promise<void> {
  try {
    await change;
  } catch (error) {
    if (!(error instanceof StoreError) || error.code !== 'ERR_STORE_DAMAGED') throw error;
  }
}

function offsetOf({ clock }: Engine): number {
  return clock.now() - clock.monotonic();
}

/**
 * Cuts every instant of a connection to the furthest that its rule allows, so that its next step comes in time, and makes its token set
 * due: but for one that came within the last minute, which was renewed by another keeper that noticed as well.
 */
function dueAgain(
  { tokens, backoff, claim }: ConnectionRecord,
  now: number,
): { readonly result: boolean; readonly connection?: Partial<ConnectionRecord> } {
  const age = tokens === undefined ? 0 : now - tokens.receivedAt;
  const isNew = age >= 0 && age < MINUTE_MS;
  const isDue = tokens === undefined || tokens.dueAt <= now || isNew;
  const isCut = tokens === undefined || tokens.accessExpiresAt <= now + tokens.accessLifeMs;
  const isPast = claim === undefined || claim.claimedAt <= now;
  if (isDue && isCut && isPast && backoff.notBefore <= now) return { result: false };
  return {
    result: true,
    connection: {
      backoff: { ...backoff, notBefore: Math.min(backoff.notBefore, now) },
      ...(claim !== undefined && {
        claim: { ...claim, claimedAt: Math.min(claim.claimedAt, now) },
      }),
      ...(tokens !== undefined && { tokens: cutToClock(tokens, isDue ? tokens.dueAt : now, now) }),
    },
  };
}
