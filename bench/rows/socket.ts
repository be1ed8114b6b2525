import { ratioRow } from '../harness/ratio-row.ts';
import type { SocketTask } from '../support/socket-driver.ts';

const TASK: SocketTask = { calls: 10_000, concurrency: 32 };

/** Tokens by HTTP. */
export const socketToken = ratioRow({
  name: 'socket-token',
  work: "`GET /v1/connections/NAME/token` on the socket of a daemon's owner, 32 callers with connections that they keep",
  limit: 'a server of `node:http` that answers with the same bytes, whatever it is asked',
  measure: 'CPU time of one answer in the process of the server',
  unit: 'µs',
  by: 'cpu',
  scale: 1_000 / TASK.calls,
  roundsByDefault: 15,
  warmup: 4,
  // At least 0.7 times as many answers for the same processor time.
  bar: 1 / 0.7,
  rest: 'the shape of the request and its fields are looked at, the draw is filed, the answer is counted and timed, the token is asked of the keeper',
  entrants: () => ({
    entrants: [
      { name: 'evergrant', module: 'socket-daemon.ts', options: { ...TASK } },
      { name: 'node:http', module: 'socket-bare.ts', options: { ...TASK } },
    ],
  }),
});
