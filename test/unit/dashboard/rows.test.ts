import { describe, expect, it } from 'vitest';
import { causesOf } from '../../../src/dashboard/data/causes.ts';
import { joined } from '../../../src/dashboard/data/registrations.ts';
import { pick, type Wanted } from '../../../src/dashboard/data/rows.ts';
import type { Client, Glance } from '../../../src/dashboard/data/types.ts';

const NOW = Date.UTC(2026, 0, 1);
const ALL: Wanted = {
  ...{ search: '', standing: undefined, actor: undefined, provider: undefined },
  ...{ sort: 'name', isDown: false },
};

const rows: readonly Glance[] = [
  glance('asked', { state: 'attention', actor: 'owner', reason: 'the grant was revoked' }),
  glance('odd', { state: 'uncertain', reason: 'the connection broke' }),
  glance('stopped', { state: 'paused' }),
  glance('trying', { failedAt: NOW - 1, failure: 'the server answered 500' }),
  glance('well', {}),
];

describe('who must act', () => {
  it('nobody, since it is tried again, is not said of what is well or was stopped', () => {
    expect(names({ actor: 'nobody' })).toEqual(['trying']);
  });

  it('is the person who granted where the outcome is uncertain and nobody else is named', () => {
    expect(names({ actor: 'owner' })).toEqual(['asked', 'odd']);
  });
});

describe('a search', () => {
  it('finds connections by why they are not well', () => {
    expect(names({ search: 'Answered 500' })).toEqual(['trying']);
    expect(names({ search: 'revoked' })).toEqual(['asked']);
  });

  it('finds no well connection by the words for what has run out', () => {
    expect(names({ search: 'run out' })).toEqual([]);
  });
});

describe('what has the same cause', () => {
  it('is put together, in the order of the first of each', () => {
    const all = ['c', 'a', 'b'].map((name) => glance(name, { reason: name === 'a' ? 'x' : 'y' }));
    const found = causesOf(all).map(({ reason, rows: of }) => [reason, of.map(({ name }) => name)]);
    expect(found).toEqual([
      ['y', ['c', 'b']],
      ['x', ['a']],
    ]);
  });
});

describe('registrations', () => {
  it('that differ in nothing a person could see are one, with the connections of all', () => {
    const [one, two] = [
      client('1', {}),
      client('2', { connections: 3, overrides: { rotation: 'reusable' } }),
    ];
    expect(joined([one, two])).toEqual([{ ...one, connections: 5 }]);
    expect(joined([one, { ...two, secretExpiresAt: NOW }])).toHaveLength(2);
  });
});

function names(wanted: Partial<Wanted>): readonly string[] {
  return pick(rows, { ...ALL, ...wanted }, NOW).map(({ name }) => name);
}

function glance(name: string, more: Partial<Glance>): Glance {
  return {
    ...{ name, account: null, provider: 'generic', clientId: 'app', beginning: 'code' },
    ...{ state: 'active', actor: null, reason: null, since: null, generation: 1 },
    ...{ receivedAt: NOW, accessExpiresAt: NOW + 3_600_000, nextRefreshAt: NOW + 1_800_000 },
    ...{ failedAt: null, failure: null, isRefreshing: false, ...more },
  };
}

function client(id: string, more: Partial<Client>): Client {
  return {
    ...{ id, provider: 'generic', clientId: 'app', tokenEndpoint: 'https://as.example/token' },
    ...{ authentication: 'client_secret_post', overrides: {} },
    ...{ hasSecret: true, secretExpiresAt: null, refusedAt: null, refusal: null, connections: 2 },
    ...more,
  };
}
