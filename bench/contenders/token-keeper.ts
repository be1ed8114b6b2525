import { openKeeper } from '../../src/keeper.ts';
import type { Prepare } from '../harness/contender.ts';
import { addConnections, makeHome, nameOf, removeHome } from '../support/home.ts';
import { callInGroups, shuffledNames, type TokenTask } from '../support/token-task.ts';

/** Ours: a handle that the caller holds, where there is one connection, else one looked up by name for each call. */
const prepare: Prepare<TokenTask> = async (task) => {
  const home = await makeHome();
  const keeper = await openKeeper({ home });
  const tokenEndpoint = 'http://127.0.0.1:9/token';
  const [first = keeper.connection('')] = await addConnections(keeper, task.connections, {
    tokenEndpoint,
  });
  const names = Array.from({ length: task.connections }, (_, i) => nameOf(i));
  const asked = shuffledNames(names, 16_384);
  const byName = (i: number): Promise<unknown> =>
    keeper.connection(asked[i & 16_383] ?? '').token();
  const call = task.connections > 1 ? byName : (): Promise<unknown> => first.token();
  return {
    async round() {
      await callInGroups(task, call);
      return undefined;
    },
    async close() {
      await keeper.close();
      await removeHome(home);
    },
  };
};

export default prepare;
