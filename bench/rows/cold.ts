import { ratioRow, type Lineup } from '../harness/ratio-row.ts';
import type { Entrant, Row } from '../harness/row.ts';
import { buildPackage } from '../support/built-package.ts';
import { addConnections, makeHome, nameOf, openBenchKeeper, removeHome } from '../support/home.ts';
import { refreshForm } from '../support/refresh-task.ts';
import { startTokenServer, type TokenServerOptions } from '../support/token-server.ts';
import { accessToken } from '../support/tokens.ts';

interface Cold extends TokenServerOptions {
  /** Remaining life of the access token in the store. */
  readonly lifeMs: number;
  /** What the limit runs. */
  limit(tokenEndpoint: string): Entrant;
  /** What our command is told besides. */
  readonly ours: Readonly<Record<string, unknown>>;
}

/** The built command on a home with one connection, and the limit. */
async function lineup({ lifeMs, limit, ours, ...answers }: Cold): Promise<Lineup> {
  const [built, server, home] = await Promise.all([
    buildPackage(),
    startTokenServer(answers),
    makeHome(),
  ]);
  const { tokenEndpoint } = server;
  const { keeper } = await openBenchKeeper(home);
  await addConnections(keeper, 1, { tokenEndpoint, lifeMs });
  await keeper.close();
  const options = {
    args: [built.bin, 'token', nameOf(0)],
    environment: { EVERGRANT_HOME: home },
    ...ours,
  };
  return {
    entrants: [{ name: 'evergrant', module: 'cold.ts', options }, limit(tokenEndpoint)],
    async close() {
      await server.close();
      await removeHome(home);
      await built.remove();
    },
  };
}

const common = {
  measure: 'wall time of one process',
  unit: 'ms',
  by: 'wall',
  scale: 1,
  roundsByDefault: 25,
  warmup: 3,
} as const;

/** The command, when the store holds a token that lives. */
export const coldValid: Row = ratioRow({
  ...common,
  name: 'cold-valid',
  work: '`evergrant token NAME` of the built package in a cold process, with a valid token in the store: open, check, decrypt, print',
  limit: '`node -e 0`: a process that does nothing',
  bar: 1.3,
  rest: 'loading `node:crypto` takes more than half of what the bar allows, our code, SQLite and the store the rest; with AES-GCM and HMAC of our own on WebAssembly, which need not load it, the row came to 1.21 to 1.26, but what opens secrets is to be OpenSSL and nothing else; in plain JavaScript they took three times as long as `node:crypto`',
  entrants: () =>
    lineup({
      lifeMs: 3_600_000,
      ours: { prints: `${accessToken(0)}\n` },
      limit: () => ({ name: 'node -e 0', module: 'cold.ts', options: { args: ['-e', '0'] } }),
    }),
});

/** The least a script can do to refresh: plain JavaScript that loads one built-in module. */
function postOnce(tokenEndpoint: string): string {
  return `
const request = require('node:http').request(${JSON.stringify(tokenEndpoint)}, {
  method: 'POST',
  headers: { 'content-type': 'application/x-www-form-urlencoded' },
}, (response) => {
  let body = '';
  response.setEncoding('utf8').on('data', (chunk) => (body += chunk)).on('end', () => {
    console.log(JSON.parse(body).access_token);
    process.exit();
  });
});
request.end(${JSON.stringify(refreshForm(0))});
`;
}

/** Long enough for the command to end, short enough to have expired at the next round. */
const LIFE_MS = 1_000;

/** The command, when the token in the store has expired. */
export const coldExpired: Row = ratioRow({
  ...common,
  name: 'cold-expired',
  work: '`evergrant token NAME` of the built package in a cold process, with an expired token in the store: refresh, store durably, print',
  limit:
    'one cold POST by `node:http` in plain JavaScript, its access token printed, nothing stored',
  bar: 1.4,
  rest: 'loading `node:crypto` and a keeper, the first run of each of its functions, two durable commits, and closing the store, each a fifth or less',
  entrants: () =>
    lineup({
      lifeMs: 1,
      lifeSeconds: LIFE_MS / 1_000,
      ours: { printsFirst: 'at-', restMs: LIFE_MS },
      limit: (tokenEndpoint) => ({
        name: 'one POST by node:http',
        module: 'cold.ts',
        options: { args: ['-e', postOnce(tokenEndpoint)], printsFirst: 'at-' },
      }),
    }),
});
