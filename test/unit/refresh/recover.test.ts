import { describe, expect, it } from 'vitest';
import type { View } from '../../../src/connection/decision.ts';
import type { ConnectionRecord, LifeEvent } from '../../../src/connection/record.ts';
import { StoreError } from '../../../src/errors.ts';
import { recoverAwaited, recoverSpills } from '../../../src/refresh/recover.ts';
import { fullDisk, oneRow, someSpill, type OneRow } from '../../support/one-row.ts';
import { NOW, someAttempt, someIntent, someOwner, someView } from '../../support/views.ts';

const spill = someSpill();
const claim = { owner: someOwner, attemptId: 'attempt', claimedAt: NOW };

/** A world with one answer in a file. */
function worldWith(connection: Partial<ConnectionRecord> = {}): OneRow & { readonly view: View } {
  const view = someView({ connection });
  const world = oneRow(view);
  world.files.set('attempt', spill);
  return world as OneRow & { readonly view: View };
}

/** The line of history of the answer in the file, had it been recorded. */
function itsLine(change: Partial<LifeEvent> = {}): LifeEvent {
  return {
    ...{ at: NOW, event: 'refreshed', grantId: 'grant', generation: 2, by: 'host pid 1' },
    ...{ fingerprint: spill.tokens.fingerprint, detail: undefined },
    ...change,
  };
}

/** Connections that the keeper was told to read anew, and when. */
let changed: string[] = [];

function recover({ engine, steps }: OneRow): ReturnType<typeof recoverSpills> {
  changed = [];
  return recoverSpills(engine, (id) => {
    changed.push(`${id} after: ${steps.join(', ')}`);
    return Promise.resolve();
  });
}

describe('of the answers in files', () => {
  it('one that becomes current is seen by the callers of this keeper', async () => {
    const world = worldWith();
    const spill = someSpill();
    world.files.set(spill.attempt.attemptId, spill);
    await recover(world);
    expect(changed).toEqual(['connection after: row written durably, file removed']);
  });

  it('one whose connection flies no more becomes current, and its file is removed', async () => {
    const world = worldWith({
      state: { kind: 'uncertain', since: NOW, reason: 'no answer', lastTry: false },
      intent: someIntent(),
      claim,
    });
    expect(await recover(world)).toEqual([]);
    expect(world.view.connection).toMatchObject({
      ...{ generation: 2, tokens: spill.tokens, state: { kind: 'active' }, intent: undefined },
    });
    expect(world.steps).toEqual(['row written durably', 'file removed']);
  });

  it('one to a request that a person ordered though the one before was refused becomes current', async () => {
    const advice = { actor: 'operator', reason: 'no such scope', remedy: 'correct it' } as const;
    const refused = {
      kind: 'attention',
      since: NOW,
      code: 'ERR_REQUEST_REFUSED',
      ...advice,
    } as const;
    const world = worldWith({ state: refused, intent: someIntent() });
    const { fingerprint } = world.view.connection.tokens ?? {};
    world.files.set('attempt', someSpill({ tokens: { ...spill.tokens, fingerprint } }));
    expect(await recover(world)).toEqual([]);
    expect(world.view.connection).toMatchObject({
      ...{ generation: 2, state: { kind: 'active' }, intent: undefined },
    });
  });

  it('one whose connection nobody is at becomes current', async () => {
    const world = worldWith({ intent: someIntent() });
    // Nobody is asked about: there is no owner to ask about.
    world.owner = 'alive';
    expect(await recover(world)).toEqual([]);
    expect(world.view.connection).toMatchObject({ generation: 2, tokens: spill.tokens });
  });

  it.each(['alive', 'unknown'] as const)(
    'one that its connection waits for is left to whoever is at that, who is %s',
    async (owner) => {
      const world = worldWith({ intent: someIntent(), claim });
      world.owner = owner;
      expect(await recover(world)).toEqual([]);
      expect(world.steps).toEqual([]);
      expect(world.files.get('attempt')).toBe(spill);
    },
  );

  it('one of an older grant is put away at once, whoever is at its connection', async () => {
    const world = worldWith({
      ...{ grantId: 'newer grant', generation: 5 },
      intent: someIntent({ attemptId: 'another', grantId: 'newer grant', generation: 5 }),
      claim: { ...claim, attemptId: 'another' },
    });
    world.owner = 'alive';
    expect(await recover(world)).toEqual([]);
    expect(world.leftovers).toMatchObject([{ kind: 'revoke', grantId: 'grant' }]);
    expect(world.view.connection).toMatchObject({ generation: 5, claim: { attemptId: 'another' } });
    expect(world.files.size).toBe(0);
  });

  it('one whose connection was removed goes with it', async () => {
    const world = worldWith();
    world.files.set('attempt', { ...spill, connectionId: 'removed' });
    world.removed.add('removed');
    expect(await recover(world)).toEqual([]);
    expect(world.steps).toEqual(['file removed']);
    expect(world.logged).toEqual([]);
  });

  it('one of a connection that the store has never known, as after a backup was restored, is kept and told of', async () => {
    const world = worldWith();
    world.files.set('attempt', { ...spill, connectionId: 'younger' });
    expect(await recover(world)).toEqual([
      { connectionId: 'younger', message: expect.stringContaining('older backup') as unknown },
    ]);
    expect(world.steps).toEqual([]);
    expect(world.files.size).toBe(1);
  });

  it('one that was removed since they were listed is no failure', async () => {
    const world = worldWith();
    world.files.set('attempt', undefined as never);
    expect(await recover(world)).toEqual([]);
    expect(world.steps).toEqual([]);
  });

  it('one that the connection has had, however long ago, is forgotten', async () => {
    const world = worldWith({ generation: 4 });
    world.life.push(
      ...[4, 3].map((generation) => itsLine({ generation, fingerprint: `0000000${generation}` })),
      itsLine(),
      itsLine({ event: 'connected', generation: 1, fingerprint: '00000001' }),
    );
    expect(await recover(world)).toEqual([]);
    expect(world.steps).toEqual(['file removed']);
    expect(world.leftovers).toEqual([]);
  });

  it.each<Partial<LifeEvent>>([
    { event: 'recovered' },
    { grantId: 'another grant' },
    { generation: 1 },
    { generation: 3 },
    { fingerprint: 'abcdef03' },
  ])('one is not taken for another that the history tells of: %o', async (change) => {
    const world = worldWith({ generation: 4 });
    world.life.push(itsLine(change));
    expect(await recover(world)).toEqual([]);
    expect(world.leftovers).toMatchObject([{ kind: 'stray', attemptId: 'attempt' }]);
    expect(world.files.size).toBe(0);
  });

  it('one that fails stays, is told of with its connection, and keeps no other from being recorded', async () => {
    const world = worldWith();
    world.files.set('other', someSpill({ attempt: someAttempt({ attemptId: 'other' }) }));
    const damaged = { ...spill, attempt: someAttempt({ generation: 9, grantId: 'older' }) };
    world.files.set('attempt', damaged);
    expect(await recover(world)).toEqual([
      { connectionId: 'connection', message: 'sealed to another place' },
    ]);
    expect([...world.files]).toEqual([['attempt', damaged]]);
    expect(world.view.connection.generation).toBe(2);
  });

  it('one that cannot be read is told of without a connection', async () => {
    const world = worldWith();
    world.fileTrouble.find = new StoreError('ERR_STORE_DAMAGED', 'it is damaged');
    expect(await recover(world)).toEqual([{ connectionId: undefined, message: 'it is damaged' }]);
    expect(world.files.get('attempt')).toBe(spill);
  });
});

describe('the answer that a connection waits for', () => {
  it('is recorded when whoever got it is dead', async () => {
    const world = worldWith({ intent: someIntent(), claim });
    expect(await recoverAwaited(world.engine, world.view)).toBe(true);
    expect(world.view.connection).toMatchObject({ generation: 2, tokens: spill.tokens });
  });

  it.each(['alive', 'unknown'] as const)('is not, when that one is %s', async (owner) => {
    const world = worldWith({ intent: someIntent(), claim });
    world.owner = owner;
    expect(await recoverAwaited(world.engine, world.view)).toBe(false);
    expect(world.view.connection.generation).toBe(1);
    expect(world.files.get('attempt')).toBe(spill);
  });

  it.each([undefined, someIntent({ attemptId: 'another' })])(
    'is in no file of another attempt: %#',
    async (intent) => {
      const world = worldWith({ intent });
      expect(await recoverAwaited(world.engine, world.view)).toBe(false);
      expect(world.steps).toEqual([]);
    },
  );

  it('stays in its file when the store still takes nothing', async () => {
    const world = worldWith({ intent: someIntent() });
    world.trouble = fullDisk;
    await expect(recoverAwaited(world.engine, world.view)).rejects.toBe(fullDisk);
    expect(world.files.get('attempt')).toBe(spill);
  });
});
