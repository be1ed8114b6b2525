import { describe, expect, it } from 'vitest';
import type { View } from '../../../src/connection/decision.ts';
import type { ConnectionRecord, Owner, Rotation } from '../../../src/connection/record.ts';
import { tokenContext } from '../../../src/connection/secrets.ts';
import { attemptRefresh, type AttemptResult } from '../../../src/refresh/attempt.ts';
import { HttpConnectError } from '../../../src/system/http.ts';
import { fullDisk, oneRow, someSpill, type OneRow } from '../../support/one-row.ts';
import { someAttempt, someIntent, someOwner, someTokens, someView } from '../../support/views.ts';

/** What an attempt does on its way; a test changes it. */
interface Attempting extends OneRow {
  /** Called when an answer in a file is looked for. */
  onFind: () => void;
  /** Called when a connection is opened; what it throws, the opening fails with. */
  onConnect: () => void;
  /** Called when an answer is given its place. */
  onReserve: () => void;
  readonly connections: string[];
  /** The generation that a newer token set is wanted than. */
  newerThan: number;
  /** Whether a connection is open that is as good as a fresh one. */
  isAtHand: boolean;
  /** Who this process is. */
  self: Owner;
  /** The rows as they were read before the attempt. */
  seen: View;
  attempt(): Promise<AttemptResult>;
}

/** The connection needs a newer token set, and nobody is at it. */
function attempting(
  change: Partial<ConnectionRecord> = {},
  rotation: Rotation = 'single-use',
): Attempting {
  const row = oneRow();
  const { engine } = row;
  const connections: string[] = [];
  const { sealer } = engine.store;
  const refreshToken = sealer.seal('rt', tokenContext('connection', 'refreshToken', 1));
  const view = someView({ connection: { tokens: someTokens({ refreshToken }), ...change } });
  row.view = view;
  let attempts = 0;
  Object.assign(engine.random, { uuid: () => `attempt-${String(++attempts)}` });
  Object.assign(engine.store.claims, { identify: () => Promise.resolve(all.self) });
  Object.assign(engine.spills, {
    find: (attemptId: string) => {
      all.onFind();
      return Promise.resolve(row.files.get(attemptId));
    },
    makeReserve: () => {
      row.steps.push('place kept');
      all.onReserve();
      return Promise.resolve();
    },
  });
  const habits = { rotation, scopes: {}, dialect: {}, tokenParameters: {} };
  const connection = {
    send: () => {
      connections.push('sent');
      const body = Buffer.from('{"access_token":"at","token_type":"Bearer","expires_in":60}');
      const headers = { 'content-type': 'application/json' };
      return Promise.resolve({ status: 200, headers, body });
    },
    close: () => void connections.push('closed'),
  };
  const http = {
    atHand: () => (all.isAtHand ? connection : undefined),
    connect: (_url: URL, { fresh }: { readonly fresh: boolean }) => {
      row.steps.push(fresh ? 'connected anew' : 'connected');
      all.onConnect();
      return Promise.resolve(connection);
    },
  };
  Object.assign(engine, { http, profileOf: () => habits });
  const all: Attempting = Object.assign(row, {
    connections,
    self: someOwner,
    seen: view,
    onFind: () => undefined,
    onConnect: () => undefined,
    onReserve: () => undefined,
    newerThan: 1,
    isAtHand: false,
    attempt: () =>
      attemptRefresh(
        engine,
        all.seen,
        {
          demand: { kind: 'newer', generation: all.newerThan, rejected: false },
          ...{ byHand: false, anyway: false },
        },
        () => undefined,
      ),
  });
  return all;
}

/** What somebody else did to the row meanwhile. */
function change(row: OneRow, connection: Partial<ConnectionRecord>): void {
  const { view } = row as { view: View };
  row.view = { ...view, connection: { ...view.connection, ...connection } };
}

describe('one attempt', () => {
  it('where a refresh token is good once: an answer has its place, and the intent is durable before anything is sent', async () => {
    const world = attempting();
    expect((await world.attempt()).kind).toBe('settled');
    expect(world.steps).toEqual([
      ...['row written', 'connected anew', 'place kept', 'row written durably'],
      ...['refreshing', 'row written durably', 'refreshed'],
    ]);
    expect(world.events[0]).toEqual(['refreshing', { connection: 'a', generation: 1 }]);
  });

  it('where it may be used again: nothing is at stake before the answer', async () => {
    const world = attempting({}, 'reusable');
    await world.attempt();
    expect(world.steps).toEqual([
      ...['row written', 'connected', 'row written', 'refreshing'],
      ...['row written durably', 'refreshed'],
    ]);
  });

  it('starts over where its process has become another meanwhile, as after a sleep of its machine', async () => {
    const world = attempting();
    world.onConnect = () => {
      world.onConnect = () => undefined;
      world.self = { ...someOwner, ownerId: 'reborn' };
    };
    expect((await world.attempt()).kind).toBe('settled');
    expect(world.connections).toEqual(['closed', 'sent', 'closed']);
  });
});

it('whose request cannot be made fails with the fault of the settings, and is no failure of the server', async () => {
  const world = attempting();
  const { profileOf } = world.engine;
  const profileWith = (client: View['client']): object => ({
    ...profileOf(client),
    tokenParameters: { client_id: 'another' },
  });
  Object.assign(world.engine, { profileOf: profileWith });
  await expect(world.attempt()).rejects.toMatchObject({ code: 'ERR_CONFIGURATION' });
  expect(world.connections).toEqual([]);
  expect(world.steps).toEqual(['row written', 'row written']);
  expect(world.view?.connection.claim).toBeUndefined();
});

const dead = someIntent({ attemptId: 'dead' });
const taken = { owner: someOwner, attemptId: 'taker', claimedAt: 0 };

describe('where a connection is at hand', () => {
  function atHand(...row: Parameters<typeof attempting>): Attempting {
    return Object.assign(attempting(...row), { isAtHand: true });
  }

  it('claim and intent are one write, durable where a refresh token is good once, after the answer has its place', async () => {
    const world = atHand();
    world.onReserve = () => expect(world.view?.connection.claim).toBeUndefined();
    expect((await world.attempt()).kind).toBe('settled');
    expect(world.steps).toEqual([
      ...['place kept', 'row written durably', 'refreshing'],
      ...['row written durably', 'refreshed'],
    ]);
    expect(world.connections[0]).toBe('sent');
    expect(world.view?.connection).toMatchObject({ generation: 2, claim: undefined });
  });

  it('where a refresh token may be used again they need not be durable', async () => {
    const world = atHand({}, 'reusable');
    await world.attempt();
    expect(world.steps.slice(0, 2)).toEqual(['row written', 'refreshing']);
  });

  it.each<[string, Partial<ConnectionRecord>, Partial<View['client']>]>([
    ['the grant is another one', { grantId: 'again' }, {}],
    ['the client is another one', {}, { id: 'another' }],
    ['the secret of the client is another one', {}, { revision: 7 }],
    ['another attempt has left an intent', { intent: { ...dead, count: 1 } }, {}],
  ])('goes step by step where meanwhile %s', async (_what, connection, client) => {
    const world = atHand();
    world.onReserve = () => {
      world.onReserve = () => undefined;
      change(world, connection);
      const { view } = world as { view: View };
      world.view = { ...view, client: { ...view.client, ...client } };
    };
    await world.attempt();
    expect(world.steps.slice(0, 2)).toEqual(['place kept', 'row written durably']);
    const written = world.steps.filter((step) => step.startsWith('row written'));
    expect(written).toHaveLength(connection.intent === undefined ? 3 : 2);
  });

  it('sends the newest refresh token, where another one came meanwhile that is not new enough either', async () => {
    const world = Object.assign(atHand(), { newerThan: 2 });
    const { sealer } = world.engine.store;
    const refreshToken = sealer.seal('rt-2', tokenContext('connection', 'refreshToken', 2));
    world.onReserve = () => {
      world.onReserve = () => undefined;
      change(world, { generation: 2, tokens: someTokens({ refreshToken }) });
    };
    await world.attempt();
    expect(world.steps.slice(0, 3)).toEqual(['place kept', 'row written durably', 'place kept']);
    expect(world.view?.connection.generation).toBe(3);
  });

  it('looks for the answer of an intent that came meanwhile, also where sending again is harmless', async () => {
    const world = atHand({}, 'reusable');
    const looked: string[] = [];
    world.onFind = () => looked.push('for the answer');
    const identify = (): Promise<Owner> => {
      if (world.steps.length === 0) change(world, { intent: dead });
      return Promise.resolve(world.self);
    };
    Object.assign(world.engine.store.claims, { identify });
    await world.attempt();
    expect(looked).toEqual(['for the answer']);
  });

  it('gives it back unused where somebody was faster, or is at it', async () => {
    for (const by of [{ generation: 2 }, { claim: taken }]) {
      const world = Object.assign(atHand(), { owner: 'alive' });
      world.onReserve = () => change(world, by);
      const { kind } = await world.attempt();
      expect(kind).toBe(by.claim === undefined ? 'satisfied' : 'held');
      expect(world.connections).toEqual(['closed']);
    }
  });

  it.each<[string, Partial<ConnectionRecord>]>([
    ['while somebody is at it', { claim: taken }],
    ['while an intent is in doubt', { intent: dead }],
    ['for one that is paused', { state: { kind: 'paused', since: 0, before: { kind: 'active' } } }],
  ])('nothing is made ready %s', async (_when, by) => {
    const world = Object.assign(atHand(by), { owner: 'alive' });
    await world.attempt();
    expect(world.connections).toEqual([]);
    expect(world.steps).not.toContain('place kept');
  });

  it('what is wrong with the address of the server is told under the claim', async () => {
    const world = atHand();
    const { view } = world as { view: View };
    const client = { ...view.client, tokenEndpoint: 'https://as.example/token#odd' };
    world.seen = world.view = { ...view, client };
    await expect(world.attempt()).rejects.toMatchObject({ code: 'ERR_CONFIGURATION' });
    expect(world.steps).toEqual(['row written', 'row written']);
    change(world, { generation: 2 });
    expect((await world.attempt()).kind).toBe('satisfied');
  });

  it('what keeps the answer from its place is told under the claim, and the connection given back', async () => {
    const world = atHand();
    world.onReserve = () => {
      throw fullDisk;
    };
    await expect(world.attempt()).rejects.toBe(fullDisk);
    expect(world.connections).toEqual(['closed', 'closed']);
    expect(world.steps).toEqual(['place kept', 'row written', 'place kept', 'row written']);
    expect(world.view?.connection).toMatchObject({ claim: undefined, intent: undefined });
  });
});

describe('an intent that a dead process left where a refresh token is good once', () => {
  it('makes the connection uncertain, durably, and nothing is sent', async () => {
    const world = attempting({ intent: dead });
    const result = await world.attempt();
    expect(result).toMatchObject({
      kind: 'settled',
      verdict: { kind: 'failed', connection: { state: { kind: 'uncertain' }, claim: undefined } },
    });
    expect(world.view?.connection).toMatchObject({
      intent: dead,
      state: { reason: 'the process that sent it ended before the answer was stored' },
    });
    expect(world.view?.connection.claim).toBeUndefined();
    expect(world.steps).toEqual(['row written', 'row written durably']);
    expect(world.connections).toEqual([]);
  });

  it('means nothing any more once it has been dealt with: the claim alone is given back', async () => {
    for (const intent of [someIntent({ attemptId: 'newer' }), undefined]) {
      const world = attempting({ intent: dead });
      world.onFind = () => change(world, { intent });
      await world.attempt();
      expect(world.view?.connection).toMatchObject({ intent, state: { kind: 'active' } });
      expect(world.view?.connection.claim).toBeUndefined();
    }
  });

  it('is left to whoever has taken the claim meanwhile, or given it back', async () => {
    for (const claim of [taken, undefined]) {
      const world = attempting({ intent: dead });
      world.onFind = () => change(world, { claim });
      await world.attempt();
      expect(world.view?.connection).toMatchObject({ claim, state: { kind: 'active' } });
    }
  });

  it('is answered by what lies in a file of it: that is recorded, and nothing more is wanted', async () => {
    const world = attempting({ intent: dead });
    world.files.set('dead', someSpill({ attempt: someAttempt({ attemptId: 'dead' }) }));
    expect(await world.attempt()).toMatchObject({ kind: 'satisfied' });
    expect(world.view?.connection).toMatchObject({ generation: 2, intent: undefined });
    expect(world.connections).toEqual([]);
  });
});

it('a connection that was removed before is told as that; meanwhile, as well', async () => {
  const removed = {
    code: 'ERR_CONNECTION_UNKNOWN',
    message: 'the connection was removed meanwhile',
  };
  const before = attempting();
  before.view = undefined;
  await expect(before.attempt()).rejects.toMatchObject(removed);
  const meanwhile = attempting({ intent: dead });
  meanwhile.onFind = () => (meanwhile.view = undefined);
  await expect(meanwhile.attempt()).rejects.toMatchObject(removed);
});

describe('an attempt that cannot write its intent', () => {
  /** The store takes nothing from when the server was reached. */
  function full(): Attempting {
    const world = attempting();
    world.onConnect = () => (world.trouble = fullDisk);
    return world;
  }

  it('sends nothing, gives the connection up and the claim back as soon as it can', async () => {
    const world = full();
    await expect(world.attempt()).rejects.toBe(fullDisk);
    expect(world.connections).toEqual(['closed']);
    expect(world.view?.connection.claim?.attemptId).toBe('attempt-1');
    await world.clock.advance(999);
    world.trouble = undefined;
    expect(world.view?.connection.claim?.attemptId).toBe('attempt-1');
    await world.clock.advance(1);
    expect(world.view?.connection.claim).toBeUndefined();
    expect(world.steps.at(-1)).toBe('row written');
    expect(world.clock.pending).toBe(0);
  });

  it('leaves the claim to others once its keeper is closed', async () => {
    const world = full();
    world.close();
    await expect(world.attempt()).rejects.toBe(fullDisk);
    expect(world.clock.pending).toBe(0);
  });

  it('tells that nothing could be recorded, where its request came to nothing for want of the store', async () => {
    const world = attempting();
    world.onConnect = () => {
      world.trouble = fullDisk;
      throw new HttpConnectError('refused');
    };
    const failure = world.attempt().catch((error: unknown) => error);
    await world.clock.advance(60_000);
    expect(await failure).toBe(fullDisk);
    expect(world.events.map(([event]) => event)).toEqual([
      'refreshing',
      'warning',
      'refresh_failed',
    ]);
    expect(world.events.at(-1)?.[1]).toEqual({
      ...{ connection: 'a', outcome: 'not_recorded', message: 'the disk is full' },
      retryAt: undefined,
    });
  });
});

it('starts over where somebody was faster between the connection and the intent', async () => {
  const world = attempting();
  world.onConnect = () =>
    change(world, { generation: 2, claim: undefined, tokens: someTokens({ fingerprint: 'new' }) });
  expect(await world.attempt()).toMatchObject({ kind: 'satisfied' });
  expect(world.connections).toEqual(['closed']);
  expect(world.view?.connection).toMatchObject({ generation: 2, claim: undefined });
});
