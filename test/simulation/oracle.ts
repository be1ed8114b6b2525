import { CallJudge } from './call-judge.ts';
import { NoticeJudge } from './notice-judge.ts';
import { SendJudge } from './send-judge.ts';
import { StoreJudge } from './store-judge.ts';
import type { World } from './world.ts';

/** What must hold at every step. */
export const PROMISES = {
  I1: 'a refresh token that was on disk, or came to a process that lived to write it down, is not lost and not replaced by an older one',
  I2: 'where a refresh token is good once it is not sent again while an answer is in doubt, but for one last try or by order',
  I3: 'no two requests with one refresh token are under way at the same time',
  I4: 'an access token that is handed out lives by the clock of its server',
  I5: 'the generation that a process sees never falls',
  I6: 'nobody waits for, or is refused, a token that lives',
  I7: 'whoever must act is told, once for each state of a connection',
  I8: 'after a final refusal nothing is sent until somebody acts',
  I9: 'nothing is sent that nobody needs',
  I10: 'no server is stormed',
  I11: 'nobody hears of tokens that are not on disk',
  I12: 'when nothing goes wrong any more every call ends and every connection lives, but for those that truly need a person',
  crash: 'every failure has a type',
} as const;

/** Names of the promises. */
export type Invariant = keyof typeof PROMISES;

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
