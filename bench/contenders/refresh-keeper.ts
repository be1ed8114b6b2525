import type { Prepare } from '../harness/contender.ts';
import { addConnections, makeHome, openBenchKeeper, removeHome } from '../support/home.ts';
import { inLanes } from '../support/lanes.ts';
import type { RefreshTask } from '../support/refresh-task.ts';

/** A refresh task for a keeper. */
interface Task extends RefreshTask {
  /** Connections it holds; rounds go through them in turn. */
  readonly connections: number;
  /** As servers rotate. */
  readonly rotation: 'single-use' | 'reusable';
}

/** Ours: claim, durable intent where a refresh token is good once, POST, answer checked, sealed and durable, history, served. */
const prepare: Prepare<Task> = async ({ connections, refreshes, concurrency, ...how }) => {
  const home = await makeHome();
  const { keeper } = await openBenchKeeper(home);
  const all = await addConnections(keeper, connections, how);
  let from = 0;
  return {
    async round() {
      const start = from;
      from += refreshes;
      await inLanes(refreshes, concurrency, async (i) => all[(start + i) % connections]?.refresh());
      return undefined;
    },
    async close() {
      await keeper.close();
      await removeHome(home);
    },
  };
};

export default prepare;
