import { CallJudge } from './call-judge.ts';
import { NoticeJudge } from './notice-judge.ts';
import { SendJudge } from './send-judge.ts';
import { StoreJudge } from './store-judge.ts';
import type { World } from './world.ts';

/** What must hold at every step; the words of each are in README.md of this folder. */
export type Invariant =
  'I1' | 'I2' | 'I3' | 'I4' | 'I5' | 'I6' | 'I7' | 'I8' | 'I9' | 'I10' | 'I11' | 'I12' | 'crash';

/** A promise that was broken. */
export interface Violation {
  readonly invariant: Invariant;
  readonly what: string;
}

/** Watches a world from outside, with what no process can know: true time, and what the servers remember. */
export class Oracle {
  violation: Violation | undefined;
  readonly store: StoreJudge;
  readonly sends: SendJudge;
  readonly calls: CallJudge;
  readonly notices: NoticeJudge;
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
    this.store = new StoreJudge(world, this);
    this.sends = new SendJudge(world, this);
    this.calls = new CallJudge(world, this);
    this.notices = new NoticeJudge(world, this);
  }

  /** Tells of a broken promise; the first one ends the run. */
  report(invariant: Invariant, what: string): void {
    this.#world.trace('oracle', `${invariant} is broken: ${what}`);
    this.violation ??= { invariant, what };
  }

  /** The same, unless something holds. */
  expect(holds: boolean, invariant: Invariant, what: () => string): void {
    if (!holds) this.report(invariant, what());
  }
}
