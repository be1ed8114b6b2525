import type { Notice } from '../../src/connection/record.ts';
import type { Oracle } from './oracle.ts';
import type { World } from './world.ts';

/** Judges what reaches the people who must act. */
export class NoticeJudge {
  /** When each notice was first delivered, in true time. */
  readonly #deliveries = new Map<number, number>();
  readonly #world: World;
  readonly #oracle: Oracle;

  constructor(world: World, oracle: Oracle) {
    this.#world = world;
    this.#oracle = oracle;
  }

  /** Somebody was told. */
  delivered({ id, kind, connection }: Notice): void {
    const before = this.#deliveries.get(id);
    this.#deliveries.set(id, before ?? this.#world.scheduler.now);
    this.#world.trace('people', `hear of ${kind} at ${String(connection)}`);
    const isTwice = before !== undefined && this.#wasCalmSince(before);
    this.#oracle.expect(!isTwice, 'I7', () => `notice ${String(id)} came twice`);
  }

  /** Whether nothing kept a process from noting that it had delivered: no crash, no clock set, no ill disk. */
  #wasCalmSince(at: number): boolean {
    const { plan, clocksAgree, trouble } = this.#world;
    const isDiskWell = trouble.ailment === 'none' && trouble.lastAt < at;
    return plan.hazards.rate === 0 && clocksAgree && isDiskWell;
  }

  /** At the end nothing may wait in the outbox. */
  judgeEnd(): void {
    const waiting = this.#world.database.image.notices.filter(
      ({ id }) => !this.#deliveries.has(id),
    );
    this.#oracle.expect(
      waiting.length === 0,
      'I7',
      () => `nobody was told of ${waiting.map(({ kind }) => kind).join(', ')}`,
    );
  }
}
