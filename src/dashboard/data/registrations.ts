import type { Client } from './types.ts';

/** One registration may be held several times, as for different ways of rotation; to people it is one. */
export function joined(clients: readonly Client[]): readonly Client[] {
  const same = Map.groupBy(clients, ({ id: _, connections: __, ...rest }) => JSON.stringify(rest));
  return [...same.values()].flatMap(([first, ...others]) => {
    if (first === undefined) return [];
    const sum = others.reduce((count, { connections }) => count + connections, first.connections);
    return [{ ...first, connections: sum }];
  });
}
