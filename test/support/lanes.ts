/**
 * Works through items with so many workers at once, each with an environment of its own that is disposed of at the end.
 *
 * @returns the results in the order of the items.
 */
export async function inLanes<Item, Lane extends AsyncDisposable, Result>(
  items: readonly Item[],
  lanes: number,
  makeLane: () => Promise<Lane>,
  work: (item: Item, lane: Lane) => Promise<Result>,
): Promise<readonly Result[]> {
  const results: Result[] = [];
  let next = 0;
  const run = async (): Promise<void> => {
    await using lane = await makeLane();
    for (let i = next++; i < items.length; i = next++) {
      const item = items[i];
      if (item !== undefined) results[i] = await work(item, lane);
    }
  };
  await Promise.all(Array.from({ length: Math.min(lanes, items.length) }, run));
  return results;
}

/** The environment of workers that need none. */
export function emptyLane(): Promise<AsyncDisposable> {
  return Promise.resolve({ [Symbol.asyncDispose]: () => Promise.resolve() });
}
