import type { Notice } from '../../src/connection/record.ts';
import type { Oracle } from './oracle.ts';
import type { World } from './world.ts';

/** Judges what reaches the people who must act. */
export class NoticeJudge {
  readonly #deliveries = new Map<number, number>();
  readonly #world: World;
  readonly #oracle: Oracle;

  constructor(world: World, oracle: Oracle) {
    this.#world = world;
    this.#oracle = oracle;
  }

  /** Somebody was told. */
  delivered({ id, kind, connection }: Notice): void {
    const times = (this.#deliveries.get(id) ?? 0) + 1;
    this.#deliveries.set(id, times);
    this.#world.trace('people', `hear of ${kind} at ${String(connection)}`);
    const isCalm = this.#world.plan.hazards.rate === 0 && this.#world.clocksAgree;
    this.#oracle.expect(times === 1 || !isCalm, 'I7', () => `notice ${String(id)} came twice`);
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
