import type { Client } from './types.ts';

/** One registration may be held several times, with other overrides or another way to authenticate; to people it is one. */
export function joined(clients: readonly Client[]): readonly Client[] {
  const same = Map.groupBy(
    clients,
    ({ id: _i, connections: _c, overrides: _o, authentication: _a, ...rest }) =>
      JSON.stringify(rest),
  );
  return [...same.values()].flatMap(([first, ...others]) => {
    if (first === undefined) return [];
    const sum = others.reduce((count, { connections }) => count + connections, first.connections);
    return [{ ...first, connections: sum }];
  });
}
