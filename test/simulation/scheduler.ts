import type { Rng } from './rng.ts';

interface Task {
  readonly at: number;
  /** Decides between tasks of the same instant. */
  readonly tie: number;
  readonly run: () => void;
  cancelled: boolean;
}

/** A task that can still be called off. */
export interface Scheduled {
  /** Calls it off. */
  cancel(): void;
}

/**
 * All that happens in a simulated world happens here, one task after another, in the order of true time; chance decides between tasks of
 * the same instant. After each task the promises that it settled run to their end before the next.
 */
export class Scheduler {
  /** True time in epoch milliseconds; no process sees it. */
  now = Date.UTC(2026, 0, 1);
  /** Tasks run so far. */
  steps = 0;
  readonly #rng: Rng;
  readonly #heap: Task[] = [];

  constructor(rng: Rng) {
    this.#rng = rng;
  }

  /** Runs a task after a delay. */
  after(delayMs: number, run: () => void): Scheduled {
    const task: Task = {
      at: this.now + Math.max(0, delayMs),
      tie: this.#rng.fraction(),
      run,
      cancelled: false,
    };
    this.#push(task);
    return { cancel: () => void (task.cancelled = true) };
  }

  /** Runs what is due until an instant, or until `isDone` says so after a task. */
  async runUntil(at: number, isDone: () => boolean = () => false): Promise<void> {
    await settle();
    while (!isDone()) {
      const next = this.#heap[0];
      if (next === undefined || next.at > at) break;
      this.#pop();
      if (next.cancelled) continue;
      this.now = Math.max(this.now, next.at);
      this.steps++;
      next.run();
      await settle();
    }
    if (!isDone()) this.now = Math.max(this.now, at);
  }

  #push(task: Task): void {
    const heap = this.#heap;
    let i = heap.length;
    heap.push(task);
    for (let up = (i - 1) >> 1; i > 0 && isBefore(task, heap[up]); up = (i - 1) >> 1) {
      const above = heap[up];
      if (above !== undefined) heap[i] = above;
      i = up;
    }
    heap[i] = task;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let i = 0;
    for (;;) {
      let down = 2 * i + 1;
      const right = heap[down + 1];
      if (right !== undefined && isBefore(right, heap[down])) down++;
      const child = heap[down];
      if (child === undefined || isBefore(last, child)) break;
      heap[i] = child;
      i = down;
    }
    heap[i] = last;
  }
}

function isBefore(one: Task, other: Task | undefined): boolean {
  if (other === undefined) return true;
  return one.at < other.at || (one.at === other.at && one.tie < other.tie);
}

/** Lets every promise that can go on go on. */
function settle(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}
