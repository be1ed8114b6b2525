/** What everybody who serves tokens is told. */
export interface TokenTask {
  /** Connections held. */
  readonly connections: number;
  /** Calls in a round. */
  readonly calls: number;
  /** How many of them are made before the first is awaited. */
  readonly atOnce: number;
}

/** Calls in such groups; each call is given its number. */
export async function callInGroups(
  { calls, atOnce }: TokenTask,
  call: (i: number) => Promise<unknown>,
): Promise<void> {
  if (atOnce === 1) {
    for (let i = 0; i < calls; i++) await call(i);
    return;
  }
  for (let from = 0; from < calls; from += atOnce) {
    const group: Promise<unknown>[] = [];
    for (let i = 0; i < atOnce; i++) group.push(call(from + i));
    await Promise.all(group);
  }
}

/** Names to ask for, in an order that no cache foresees; the same for everybody. */
export function shuffledNames(names: readonly string[], length: number): readonly string[] {
  let seed = 42;
  return Array.from({ length }, () => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    return names[seed % names.length] ?? '';
  });
}
