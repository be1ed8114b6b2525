import { ratioRow, type Lineup } from '../harness/ratio-row.ts';
import type { Entrant, Row } from '../harness/row.ts';
import { startTokenServer } from '../support/token-server.ts';

const MANY = 5_000;
const PEERS = ['openid-client', 'oauth4webapi', 'simple-oauth2'];

interface Ours {
  readonly module: string;
  readonly options?: Readonly<Record<string, unknown>>;
}

/** A token server, ours and all others at the same task. */
async function lineup(ours: Ours, refreshes: number, concurrency: number): Promise<Lineup> {
  const server = await startTokenServer();
  const options = { tokenEndpoint: server.tokenEndpoint, refreshes, concurrency };
  const other = (name: string): Entrant => ({ name, module: `refresh-${name}.ts`, options });
  return {
    entrants: [
      { name: 'evergrant', module: ours.module, options: { ...options, ...ours.options } },
      other('undici'),
      ...PEERS.map(other),
    ],
    close: () => server.close(),
  };
}

const REFRESHES = 100;
const oneAfterAnother = {
  limit:
    'undici: the POST through a pool that keeps its connection, the answer parsed, nothing stored',
  measure: 'CPU time of one refresh',
  unit: 'µs',
  by: 'cpu',
  scale: 1_000 / REFRESHES,
  roundsByDefault: 15,
  warmup: 5,
} as const;

/** One refresh after another, kept. */
export const refreshStored: Row = ratioRow({
  ...oneAfterAnother,
  name: 'refresh-stored',
  work: 'one refresh after another: `refresh()` of one connection whose refresh tokens are good once, intent and result sealed and durable',
  bar: 2,
  rest: 'beyond the POST, SQLite takes 1.4 times the limit where nothing is flushed to a disk (two commits, both durable, and six statements), and as much again where it is; MACs, seals and digests take half of it; the rest is spread over decisions, records and events, 1 to 3 % in each place',
  entrants: () =>
    lineup(
      { module: 'refresh-keeper.ts', options: { connections: 1, rotation: 'single-use' } },
      REFRESHES,
      1,
    ),
});

/** One refresh after another, by hand. */
export const refreshPure: Row = ratioRow({
  ...oneAfterAnother,
  name: 'refresh-pure',
  work: 'one refresh after another: `refreshAccessToken()` of `evergrant/oauth`, nothing stored',
  bar: 1.3,
  rest: 'arguments and the answer checked, members that come twice looked for',
  entrants: () => lineup({ module: 'refresh-pure.ts' }, REFRESHES, 1),
});

const SLICE = 1_000;

/** Many connections at once. */
export const refreshMany: Row = ratioRow({
  name: 'refresh-many',
  work: `${MANY.toLocaleString('en')} connections refreshed, 32 at once: \`refresh()\` of each, intent and result sealed and durable`,
  limit:
    'undici: the same POSTs through a pool of 32 kept connections, the answers parsed, nothing stored',
  measure: 'CPU time of one refresh',
  unit: 'µs',
  by: 'cpu',
  scale: 1_000 / SLICE,
  roundsByDefault: MANY / SLICE + 2,
  warmup: 2,
  bar: 2,
  rest: 'beyond the POST, SQLite takes 1.5 times the limit (the pages of each connection: its row, two indexes and its history, twice), MACs, seals and digests 0.6, garbage 0.4; the rest is spread as in `refresh-stored`',
  entrants: () =>
    lineup(
      { module: 'refresh-keeper.ts', options: { connections: MANY, rotation: 'single-use' } },
      SLICE,
      32,
    ),
});
