import { Pool } from 'undici';
import type { Prepare } from '../harness/contender.ts';
import { inLanes } from '../support/lanes.ts';
import { refreshForm, type RefreshTask } from '../support/refresh-task.ts';

/** The limit: the same POST through a pool of kept-alive connections, its answer parsed, nothing checked, nothing stored. */
const prepare: Prepare<RefreshTask> = async ({ tokenEndpoint, refreshes, concurrency }) => {
  const { origin, pathname } = new URL(tokenEndpoint);
  const pool = new Pool(origin, { connections: concurrency });
  const refresh = async (i: number): Promise<unknown> => {
    const { body } = await pool.request({
      path: pathname,
      method: 'POST',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        accept: 'application/json',
      },
      body: refreshForm(i),
    });
    return body.json();
  };
  return {
    async round() {
      await inLanes(refreshes, concurrency, refresh);
      return undefined;
    },
    close: () => pool.close(),
  };
};

export default prepare;
