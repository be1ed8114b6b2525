import type { Prepare } from '../harness/contender.ts';
import { addConnections, makeHome, openBenchKeeper, removeHome } from '../support/home.ts';

/** Many callers of one connection. */
interface Task {
  /** Where it refreshes. */
  readonly tokenEndpoint: string;
  /** How many ask at once. */
  readonly callers: number;
}

const HOUR_MS = 3_600_000;

/** Ours: all callers ask one connection whose token has just expired, and wait until each has the new one. */
const prepare: Prepare<Task> = async ({ tokenEndpoint, callers }) => {
  const home = await makeHome();
  const { keeper, advance } = await openBenchKeeper(home);
  const [connection = keeper.connection('')] = await addConnections(keeper, 1, { tokenEndpoint });
  await connection.token();
  const between = async (): Promise<void> => advance(HOUR_MS);
  await between();
  return {
    async round() {
      const tokens = await Promise.all(Array.from({ length: callers }, () => connection.token()));
      if (new Set(tokens.map(({ value }) => value)).size !== 1) throw new Error('not one token');
      return undefined;
    },
    between,
    async close() {
      await keeper.close();
      await removeHome(home);
    },
  };
};

export default prepare;
