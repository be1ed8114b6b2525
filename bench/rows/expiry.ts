import { ratioRow, type Lineup } from '../harness/ratio-row.ts';
import type { Row } from '../harness/row.ts';
import { startTokenServer } from '../support/token-server.ts';

const ANSWER_MS = 50;
const CALLERS = 10_000;
const PROCESSES = 8;

/** Ours and one request, each at a server of its own, since ours must be seen to have made no more requests. */
async function lineup(module: string, options: Readonly<Record<string, unknown>>): Promise<Lineup> {
  const [ourServer, otherServer] = await Promise.all([
    startTokenServer({ delayMs: ANSWER_MS }),
    startTokenServer({ delayMs: ANSWER_MS }),
  ]);
  const { tokenEndpoint } = ourServer;
  const one = { tokenEndpoint: otherServer.tokenEndpoint, refreshes: 1, concurrency: 1 };
  return {
    entrants: [
      { name: 'evergrant', module, options: { tokenEndpoint, ...options } },
      { name: 'one request by undici', module: 'refresh-undici.ts', options: one },
    ],
    async judge() {
      const [ours, rounds] = [await ourServer.requests(), await otherServer.requests()];
      return [{ what: 'requests', is: ours / rounds, atMost: 1 }];
    },
    async close() {
      await Promise.all([ourServer.close(), otherServer.close()]);
    },
  };
}

const common = {
  limit: `undici: one request over a kept connection to a server that takes ${String(ANSWER_MS)} ms, nothing stored`,
  measure: 'wall time until the last has its token',
  unit: 'ms',
  by: 'wall',
  scale: 1,
  roundsByDefault: 25,
  warmup: 5,
} as const;

/** One process. */
export const expiryCallers: Row = ratioRow({
  ...common,
  name: 'expiry-callers',
  work: `${CALLERS.toLocaleString('en')} callers of one process at expiry, server takes ${String(ANSWER_MS)} ms: all wait for one refresh, sealed and durable`,
  bar: 1.3,
  rest: 'a new connection, two durable commits, and waking every caller',
  entrants: () => lineup('expiry-callers.ts', { callers: CALLERS }),
});

/** Several processes. */
export const expiryProcesses: Row = ratioRow({
  ...common,
  name: 'expiry-processes',
  work: `${String(PROCESSES)} processes on one store at expiry, server takes ${String(ANSWER_MS)} ms: one refreshes, the others wait for what it stores`,
  bar: 1.6,
  rest: `as in \`expiry-callers\`; how soon the others see it; ${String(PROCESSES)} processes sharing the processors`,
  entrants: () => lineup('expiry-processes.ts', { processes: PROCESSES }),
});
