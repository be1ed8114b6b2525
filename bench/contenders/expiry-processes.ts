import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import type { Prepare } from '../harness/contender.ts';
import { addConnections, makeHome, openBenchKeeper, removeHome } from '../support/home.ts';

/** Many processes on one home. */
interface Task {
  /** Where its connection refreshes. */
  readonly tokenEndpoint: string;
  /** How many. */
  readonly processes: number;
}

const main = path.join(import.meta.dirname, '../support/keeper.process.ts');

/** Ours: each process asks once for the token that has just expired; the last answer ends the round. */
const prepare: Prepare<Task> = async ({ tokenEndpoint, processes }) => {
  const home = await makeHome();
  const { keeper } = await openBenchKeeper(home);
  await addConnections(keeper, 1, { tokenEndpoint });
  await keeper.close();
  const keepers = Array.from({ length: processes }, () => fork(main, [home], { execArgv: [] }));
  const all = (order: string): Promise<string[]> =>
    Promise.all(keepers.map((child) => ask(child, order)));
  await all('token');
  await all('expire');
  return {
    async round() {
      const values = await all('token');
      if (new Set(values).size !== 1) throw new Error('not one token');
      return undefined;
    },
    async between() {
      await all('expire');
    },
    async close() {
      await all('close');
      for (const child of keepers) child.disconnect();
      await removeHome(home);
    },
  };
};

async function ask(child: ChildProcess, order: string): Promise<string> {
  const ended = new AbortController();
  const { signal } = ended;
  const answer = once(child, 'message', { signal });
  child.once('exit', () => ended.abort(new Error('a keeper ended')));
  child.send(order);
  const [text] = (await answer) as [string];
  child.removeAllListeners('exit');
  return text;
}

export default prepare;
