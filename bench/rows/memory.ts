import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { race } from '../harness/race.ts';
import type { Row } from '../harness/row.ts';
import { makeHome, removeHome } from '../support/home.ts';
import { accessToken } from '../support/tokens.ts';

const CONNECTIONS = 100_000;
const run = promisify(execFile);
const fill = path.join(import.meta.dirname, '../support/fill.process.ts');

/** What a connection in use costs. */
export const memory: Row = {
  name: 'memory',
  work: `${CONNECTIONS.toLocaleString('en')} connections held by one keeper after \`connection(name).token()\` of each`,
  limit: 'the characters of the access tokens themselves',
  measure: 'heap and what it holds outside, after a full collection, for each connection',
  unit: 'bytes',
  rest: 'its name, the token as an object, when it was last found good, its place in a Map, and the rows that were read last',
  async run() {
    const home = await makeHome();
    try {
      await run(process.execPath, [fill, home, String(CONNECTIONS + 1)]);
      const options = { home, connections: CONNECTIONS };
      const entrant = {
        name: 'evergrant',
        module: 'memory-keeper.ts',
        options,
        flags: ['--expose-gc'],
      };
      const once = { rounds: 1, roundsByDefault: 1, warmup: 0, by: 'value', scale: 1 } as const;
      const [ours] = await race([entrant], once);
      const limit = { name: 'characters', value: accessToken(1).length };
      if (ours === undefined) throw new Error('nothing was measured');
      const above = { what: 'bytes above', is: ours.value - limit.value, atMost: 200 };
      return { figures: [ours, limit], judged: [above] };
    } finally {
      await removeHome(home);
    }
  },
};
