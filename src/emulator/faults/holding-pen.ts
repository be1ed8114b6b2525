/** Where held requests wait. */
export interface HoldingPen {
  /** Waits until the request is released. */
  hold(): Promise<void>;
  /** Lets the `count` that have waited longest go on, all by default; returns how many there were. */
  release(count?: number): number;
  /** How many wait now. */
  readonly held: number;
}

/** Makes an empty pen. */
export function createHoldingPen(): HoldingPen {
  let waiting: (() => void)[] = [];
  return {
    hold: () => new Promise((resolve) => waiting.push(resolve)),
    release(count = waiting.length) {
      const released = waiting.slice(0, count);
      waiting = waiting.slice(count);
      for (const resume of released) resume();
      return released.length;
    },
    get held() {
      return waiting.length;
    },
  };
}
