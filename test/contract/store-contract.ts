import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Leftover, View } from '../../src/connection/decision.ts';
import type { ClientRecord, ConnectionRecord, EndpointState } from '../../src/connection/record.ts';
import {
  clientSecretContext,
  leftoverContext,
  subscriptionKeyContext,
  tokenContext,
} from '../../src/connection/secrets.ts';
import { MOST_UNREAD, type Store } from '../../src/store/store.ts';
import { clientRecord, connectionRecord, lifeEvent, tokenSet } from '../support/store-records.ts';
import { whenFree } from '../support/when-free.ts';

/** Another process that works on the same store; see the roles of `store.process.ts`. */
export interface OtherProcess {
  line(): Promise<string>;
  done(): Promise<void>;
  kill(): Promise<void>;
}

/** A place where a store is, empty at first. Everything is closed after the test. */
export interface StorePlace {
  /** Opens the store, once more each time. */
  open(): Promise<Store>;
  /** Lets another process write `count` generations of a connection, durably or not. */
  write(connectionId: string, count: number, durable: boolean): OtherProcess;
  /** Everything that is kept, as bytes. */
  bytes(): Promise<Buffer>;
}

const DURABLE = { durable: true } as const;
const NOW = Date.UTC(2026, 0, 1);

/** Two writes of one turn that note something of one endpoint, with one of another kind in between. @returns what is stored then. */
export async function noteApart(
  store: Store,
  first: string,
  second: string,
): Promise<readonly EndpointState[]> {
  const note = (id: string, change: Partial<EndpointState>): Promise<unknown> =>
    store.transition(
      id,
      ({ endpoint }) => ({ result: id, endpoint: { ...endpoint, ...change } }),
      DURABLE,
    );
  const block = note(first, { blockedUntil: NOW });
  const between = store.noticeDelivered(4711);
  await Promise.all([block, between, note(second, { recent: [NOW] })]);
  return store.endpoints();
}

/** What any store must keep of the promises in `src/store/store.ts`. */
export function describeStore(name: string, makePlace: () => Promise<StorePlace>): void {
  let place: StorePlace;
  let store: Store;
  let client: ClientRecord;

  beforeEach(async () => {
    place = await makePlace();
    store = await place.open();
    client = await store.putClient(newClient());
  });

  const newClient = (change: Partial<ClientRecord> = {}, by = store): ClientRecord =>
    clientRecord(by, { id: crypto.randomUUID(), ...change });

  async function added(changes: Partial<ConnectionRecord> = {}): Promise<ConnectionRecord> {
    const id = changes.id ?? crypto.randomUUID();
    const record = connectionRecord(store, id, { clientId: client.id, ...changes });
    await store.insert(record, lifeEvent('connected'));
    return record;
  }

  function leftover(
    id: string,
    attemptId: string,
    text = 'left',
    at = NOW,
    kind: Leftover['kind'] = 'stray',
  ): Leftover {
    const label = { kind, grantId: 'grant-1', attemptId };
    return { ...label, sealed: store.sealer.seal(text, leftoverContext(id, label)), at };
  }

  const note = (id: string, text: string): Promise<boolean | undefined> =>
    store.transition(id, () => ({ result: true, connection: { perspioTenantId: text } }), DURABLE);

  describe(`${name}: transitions`, () => {
    it('sees what is stored, changes all that it says, and hands the result back', async () => {
      const { id } = await added();
      const generation = 2;
      const tokens = tokenSet(store, id, generation);
      const claim = {
        owner: { ownerId: 'o', machineId: 'm', bootId: 'b', life: 'l', pid: 1 },
        attemptId: 'a',
        claimedAt: NOW,
      };
      const endpoint = {
        endpoint: client.tokenEndpoint,
        failures: 1,
        blockedUntil: NOW + 5,
        blockedBecause: 'it fails',
        recent: [NOW],
      };
      let seen: View | undefined;
      const result = await store.transition(
        id,
        (view) => {
          seen = view;
          return {
            result: { any: 'value' },
            connection: { generation, tokens, claim, grantId: 'grant-2' },
            endpoint,
            client: { refusedAt: NOW, refusal: 'no' },
            life: [lifeEvent('refreshed', generation)],
            notices: [{ kind: 'recovered', actor: 'nobody', at: NOW, message: 'fine' }],
            leftovers: [leftover(id, 'a')],
          };
        },
        DURABLE,
      );
      expect(result).toEqual({ any: 'value' });
      expect(seen?.connection.generation).toBe(1);
      expect(seen?.endpoint).toMatchObject({ endpoint: client.tokenEndpoint, failures: 0 });
      const view = await store.read(id);
      expect(view?.connection).toMatchObject({ generation, claim, grantId: 'grant-2' });
      expect(view?.connection.tokens).toMatchObject({ dueAt: tokens.dueAt, scope: ['api'] });
      expect(view?.client).toMatchObject({ refusedAt: NOW, refusal: 'no' });
      expect(view?.endpoint).toEqual(endpoint);
      expect(await store.endpoints()).toEqual([endpoint]);
      expect((await store.life(id, 9)).map(({ event }) => event)).toEqual([
        'refreshed',
        'connected',
      ]);
      expect(await store.pendingNotices(NOW, 9)).toMatchObject([{ message: 'fine' }]);
      expect(await store.leftovers(id)).toMatchObject([{ kind: 'stray', attemptId: 'a' }]);
    });

    it('sees what a write of the same turn noted of the endpoint, whatever was written in between', async () => {
      const [first, second] = [await added({ name: 'first' }), await added({ name: 'second' })];
      expect(await noteApart(store, first.id, second.id)).toMatchObject([
        { blockedUntil: NOW, recent: [NOW] },
      ]);
    });

    it('keeps a record whole, whatever its state', async () => {
      const attention = {
        kind: 'attention',
        since: NOW,
        actor: 'owner',
        code: 'ERR_GRANT_REFUSED',
        reason: 'r',
        remedy: 'm',
      } as const;
      const states: readonly ConnectionRecord['state'][] = [
        { kind: 'active' },
        { kind: 'uncertain', since: NOW, reason: 'lost', lastTry: true },
        attention,
        { kind: 'paused', since: NOW, before: attention },
        { kind: 'disconnected', since: NOW },
      ];
      for (const state of states) {
        const record = await added({
          state,
          intent: {
            attemptId: 'i',
            grantId: 'grant-1',
            generation: 1,
            firstAt: NOW,
            firstUptimeMs: 12_345.67,
            bootId: 'b',
            count: 1,
          },
          lastError: { at: NOW, outcome: 'throttled', message: 'wait' },
          backoff: { failures: 3, notBefore: NOW + 0.5 },
        });
        expect((await store.read(record.id))?.connection).toEqual(record);
      }
      const bare = await added({
        subject: undefined,
        tokens: undefined,
        subscriptionKey: undefined,
      });
      expect((await store.read(bare.id))?.connection).toEqual(bare);
    });

    it('writes nothing when the decision throws', async () => {
      const { id } = await added();
      const failure = new Error('undecided');
      await expect(
        store.transition(
          id,
          () => {
            throw failure;
          },
          DURABLE,
        ),
      ).rejects.toBe(failure);
      expect((await store.read(id))?.connection.perspioTenantId).toBe(undefined);
    });

    it('writes all of a change or none: what cannot be stored undoes the rest', async () => {
      const { id } = await added();
      const change = store.transition(
        id,
        () => ({
          result: true,
          connection: { perspioTenantId: 'half' },
          life: [lifeEvent('half')],
          notices: [
            { kind: 'attention', actor: 'owner', at: NOW, message: undefined as unknown as string },
          ],
        }),
        DURABLE,
      );
      await expect(change).rejects.toThrow();
      expect((await store.read(id))?.connection.perspioTenantId).toBe(undefined);
      expect(await store.life(id, 9)).toHaveLength(1);
    });

    it('resolves to undefined, without deciding, where there is no such connection', async () => {
      let decided = false;
      const result = await store.transition(
        'unknown',
        () => {
          decided = true;
          return { result: 1 };
        },
        DURABLE,
      );
      expect([result, decided]).toEqual([undefined, false]);
    });

    it('spoils none of those that happen together with one that throws', async () => {
      const records = await Promise.all(Array.from({ length: 12 }, () => added()));
      const outcomes = await Promise.allSettled(
        records.map(({ id }, i) =>
          store.transition(
            id,
            () => {
              if (i % 5 === 2) throw new Error('this one');
              return { result: i, connection: { perspioTenantId: `t${String(i)}` } };
            },
            { durable: i % 2 === 0 },
          ),
        ),
      );
      for (const [i, outcome] of outcomes.entries()) {
        const failed = i % 5 === 2;
        expect(outcome.status).toBe(failed ? 'rejected' : 'fulfilled');
        const view = await store.read(records[i]?.id ?? '');
        expect(view?.connection.perspioTenantId).toBe(failed ? undefined : `t${String(i)}`);
      }
    });

    it('runs those on one connection one after another, each on what the last left', async () => {
      const { id } = await added();
      const counted = Array.from({ length: 50 }, () =>
        store.transition(
          id,
          ({ connection: { backoff } }) => ({
            result: backoff.failures,
            connection: { backoff: { ...backoff, failures: backoff.failures + 1 } },
          }),
          { durable: false },
        ),
      );
      expect(new Set(await Promise.all(counted)).size).toBe(50);
      expect((await store.read(id))?.connection.backoff.failures).toBe(50);
    });

    it('loses nothing of what several processes write at once', async () => {
      const { id } = await added();
      const writers = [true, true, false].map((durable) => place.write(id, 40, durable));
      for (const writer of writers) await writer.line();
      const notes = Array.from({ length: 40 }, (_, i) =>
        whenFree(() => note(id, `note ${String(i)}`)),
      );
      await Promise.all(notes);
      for (const writer of writers) await writer.done();
      const view = await store.read(id);
      expect(view?.connection).toMatchObject({ generation: 121, perspioTenantId: 'note 39' });
      const lines = await store.life(id, 1_000);
      expect(lines.map(({ generation }) => generation)).toEqual(
        Array.from({ length: 121 }, (_, i) => 121 - i),
      );
    });

    it('keeps what another process wrote and ended over, durable or not', async () => {
      const { id } = await added();
      for (const durable of [true, false]) {
        const before = (await store.read(id))?.connection.generation ?? 0;
        await place.write(id, 3, durable).done();
        expect((await store.read(id))?.connection.generation).toBe(before + 3);
      }
    });
  });

  describe(`${name}: names`, () => {
    it('refuses a name in use, when adding and when renaming', async () => {
      const taken = { code: 'ERR_CONNECTION_EXISTS' };
      await added({ name: 'first' });
      const second = await added({ name: 'second' });
      await expect(added({ name: 'first' })).rejects.toMatchObject(taken);
      await expect(store.rename(second.id, 'first')).rejects.toMatchObject(taken);
      expect(await store.list()).toHaveLength(2);
    });

    it('renames, and leaves id and history', async () => {
      const { id } = await added({ name: 'before' });
      await store.rename(id, 'after');
      expect(await store.find('before')).toBeUndefined();
      expect(await store.find('after')).toEqual(await store.read(id));
      expect((await store.read(id))?.connection.name).toBe('after');
      expect(await store.life(id, 9)).toHaveLength(1);
      await store.rename(id, 'after');
      await store.rename('unknown', 'other');
      expect(await store.find('other')).toBeUndefined();
    });

    it('lists by name, page by page', async () => {
      const names = Array.from({ length: 25 }, (_, i) => `c${String(i).padStart(2, '0')}`);
      for (const one of [...names].reverse()) await added({ name: one });
      const pages: string[][] = [];
      for (let afterName = ''; ; afterName = pages.at(-1)?.at(-1) ?? '') {
        const page = await store.list({ afterName, limit: 10 });
        if (page.length === 0) break;
        pages.push(page.map(({ connection }) => connection.name));
        expect(page.every((row) => row.client.id === client.id)).toBe(true);
      }
      expect(pages.map((page) => page.length)).toEqual([10, 10, 5]);
      expect(pages.flat()).toEqual(names);
      expect(await store.list()).toHaveLength(25);
    });

    it('lists ids in their order, page by page', async () => {
      const added25 = await Promise.all(
        Array.from({ length: 25 }, (_, i) => added({ name: `c${String(i)}` })),
      );
      const pages: (readonly string[])[] = [];
      for (let after = ''; ; after = pages.at(-1)?.at(-1) ?? '') {
        const page = await store.ids({ after, limit: 10 });
        if (page.length === 0) break;
        pages.push(page);
      }
      expect(pages.map((page) => page.length)).toEqual([10, 10, 5]);
      expect(pages.flat()).toEqual(added25.map(({ id }) => id).sort());
      expect(await store.ids()).toEqual(pages.flat());
    });

    it('tells a connection that was removed from one that it has never known', async () => {
      const { id } = await added();
      expect(await store.hasRemoved(id)).toBe(false);
      const grantId = (await store.read(id))?.connection.grantId ?? '';
      expect(await store.remove(id, grantId, lifeEvent('removed'))).toBe(true);
      expect(await store.hasRemoved(id)).toBe(true);
      expect(await store.hasRemoved('never')).toBe(false);
    });

    it('removes a connection with all that belongs to it', async () => {
      const { id, name: removed } = await added();
      await store.transition(
        id,
        () => ({
          result: true,
          notices: [{ kind: 'attention', actor: 'owner', at: NOW, message: 'm' }],
          leftovers: [leftover(id, 'a')],
        }),
        DURABLE,
      );
      const { grantId } = (await store.read(id))?.connection ?? { grantId: '' };
      const last = lifeEvent('removed');
      expect(await store.remove(id, 'an older grant', last)).toBe(false);
      expect(await store.remove(id, grantId, last)).toBe(true);
      expect(await store.remove('unknown', grantId, last)).toBe(true);
      expect(await store.read(id)).toBeUndefined();
      expect(await store.find(removed)).toBeUndefined();
      expect(await store.life(id, 9)).toEqual([]);
      expect(await store.leftovers(id)).toEqual([]);
      expect(await store.pendingNotices(NOW, 9)).toEqual([]);
      expect(await store.clients()).toHaveLength(1);
    });
  });

  describe(`${name}: clients`, () => {
    it('adds one only once, whatever the order of its overrides', async () => {
      const overrides = { issuer: 'https://as.example', rotation: 'grace', scopes: { a: 1, b: 2 } };
      const first = await store.putClient(newClient({ overrides }));
      const again = await store.putClient(
        newClient({
          overrides: { scopes: { b: 2, a: 1 }, rotation: 'grace', issuer: 'https://as.example' },
        }),
      );
      expect(again.id).toBe(first.id);
      expect(first.overrides).toEqual(overrides);
      expect(await store.clients()).toHaveLength(2);
      const other = newClient({
        overrides,
        authentication: 'client_secret_post',
      });
      expect((await store.putClient(other)).id).toBe(other.id);
    });

    it('hands back one that is there without adding any', async () => {
      const before = await store.clients();
      const draft = newClient({ clientId: 'draft' });
      expect(await store.tryClient(draft)).toEqual(draft);
      expect(await store.clients()).toEqual(before);
      const kept = await store.putClient(draft);
      expect((await store.tryClient(newClient({ clientId: 'draft' }))).id).toBe(kept.id);
      expect((await store.tryClient(kept)).id).toBe(kept.id);
      expect(await store.clients()).toHaveLength(before.length + 1);
    });

    it('keeps one of two that are added at the same time', async () => {
      const second = await place.open();
      const both = await Promise.all(
        [store, second].map((one) => one.putClient(newClient({ clientId: 'together' }, one))),
      );
      expect(both[0]?.id).toBe(both[1]?.id);
    });

    it('gives every client of a registration a new secret and lifts its refusal', async () => {
      const sibling = await store.putClient(newClient({ authentication: 'client_secret_post' }));
      const stranger = await store.putClient(
        newClient({ tokenEndpoint: 'https://other.example/token' }),
      );
      const { id } = await added();
      await added({ clientId: sibling.id });
      await added({ clientId: stranger.id });
      const refuse = { refusedAt: NOW, refusal: 'expired' };
      await store.transition(id, () => ({ result: true, client: refuse }), DURABLE);
      const refused = (await store.clients()).filter(({ refusedAt }) => refusedAt === NOW);
      expect(refused.map((one) => one.id).sort()).toEqual([client.id, sibling.id].sort());

      const concerned = await store.setClientSecret(
        client,
        (one, revision) =>
          store.sealer.seal(`new-${one.id}`, clientSecretContext({ id: one.id, revision })),
        NOW + 1,
      );
      expect(concerned).toBe(2);
      for (const one of await store.clients()) {
        const isOfRegistration = one.id !== stranger.id;
        expect(one).toMatchObject(
          isOfRegistration
            ? { revision: 2, secretExpiresAt: NOW + 1, refusedAt: undefined, refusal: undefined }
            : { revision: 1, secretExpiresAt: undefined },
        );
        const plain = store.sealer.open(one.secret ?? Buffer.alloc(0), clientSecretContext(one));
        const expected = isOfRegistration ? `new-${one.id}` : 'secret of the client';
        expect(Buffer.from(plain).toString()).toBe(expected);
      }
    });

    it('removes those of a registration that no connection names, and no other', async () => {
      const sibling = await store.putClient(newClient({ authentication: 'client_secret_post' }));
      const stranger = await store.putClient(
        newClient({ tokenEndpoint: 'https://other.example/token' }),
      );
      const { id } = await added();
      expect(await store.countConnections(client)).toBe(1);
      expect(await store.countConnections(stranger)).toBe(0);
      expect(await store.removeUnusedClients(client)).toBe(1);
      const left = (await store.clients()).map((one) => one.id);
      expect(left.sort()).toEqual([client.id, stranger.id].sort());
      expect(left).not.toContain(sibling.id);
      const { client: kept, connection } = (await store.read(id)) ?? {};
      expect(kept?.id).toBe(client.id);
      await store.remove(id, connection?.grantId ?? '', lifeEvent('removed'));
      expect(await store.removeUnusedClients(client)).toBe(1);
      expect(await store.removeUnusedClients(client)).toBe(0);
      expect(await store.putClient(client)).toMatchObject({ id: client.id });
      expect((await added()).id).toBeTypeOf('string');
    });

    it('lifts a refusal that a transition takes back', async () => {
      const { id } = await added();
      const set = (change: Partial<Pick<ClientRecord, 'refusedAt' | 'refusal'>>) =>
        store.transition(id, () => ({ result: true, client: change }), DURABLE);
      await set({ refusedAt: NOW, refusal: 'expired' });
      await set({});
      expect((await store.read(id))?.client.refusedAt).toBe(NOW);
      await set({ refusedAt: undefined, refusal: undefined });
      expect((await store.read(id))?.client).toMatchObject({
        refusedAt: undefined,
        refusal: undefined,
      });
    });
  });

  describe(`${name}: what is due`, () => {
    const dueRecord = (dueAt: number, accessExpiresAt: number): Partial<ConnectionRecord> => {
      const id = crypto.randomUUID();
      return { id, tokens: tokenSet(store, id, 1, { dueAt, accessExpiresAt }) };
    };

    const due = async (most: number): Promise<readonly string[]> =>
      (await store.due(NOW, most)).map(({ connectionId }) => connectionId);

    it('comes soonest-expiring first, as many of each token endpoint as asked for', async () => {
      const late = await added(dueRecord(NOW - 5, NOW + 900));
      const soon = await added(dueRecord(NOW - 1, NOW + 100));
      const middle = await added(dueRecord(NOW, NOW + 500));
      await added(dueRecord(NOW + 1, NOW + 50));
      expect(await due(10)).toEqual([soon.id, middle.id, late.id]);
      expect(await due(2)).toEqual([soon.id, middle.id]);
      const elsewhere = clientRecord(store, {
        id: 'elsewhere',
        tokenEndpoint: 'https://b.example/',
      });
      await store.putClient(elsewhere);
      const other = await added({ ...dueRecord(NOW, NOW + 700), clientId: elsewhere.id });
      expect(await due(2)).toEqual([soon.id, middle.id, other.id]);
      expect((await store.due(NOW, 1)).at(-1)).toEqual({
        connectionId: other.id,
        endpoint: elsewhere.tokenEndpoint,
      });
      expect(await store.nextDueAt()).toBe(NOW - 5);
      expect(await store.nextDueAt(NOW)).toBe(NOW + 1);
      expect(await store.nextDueAt(NOW + 1)).toBeUndefined();
    });

    it('is nothing where only a person can move a connection on, or its client is refused', async () => {
      await added({ ...dueRecord(NOW - 5, NOW), state: { kind: 'disconnected', since: NOW } });
      await added({
        ...dueRecord(NOW - 5, NOW),
        state: { kind: 'uncertain', since: NOW, reason: 'r', lastTry: false },
      });
      expect([await store.due(NOW, 10), await store.nextDueAt()]).toEqual([[], undefined]);
      const { id } = await added(dueRecord(NOW - 5, NOW));
      expect(await due(10)).toEqual([id]);
      const refuse = { refusedAt: NOW, refusal: 'no' };
      await store.transition(id, () => ({ result: true, client: refuse }), DURABLE);
      expect([await store.due(NOW, 10), await store.nextDueAt()]).toEqual([[], undefined]);
    });

    it('follows what transitions make of it', async () => {
      const { id } = await added(dueRecord(NOW - 5, NOW));
      const backoff = { failures: 1, notBefore: NOW + 60_000 };
      await store.transition(id, () => ({ result: true, connection: { backoff } }), DURABLE);
      expect(await store.due(NOW, 10)).toEqual([]);
      expect(await store.nextDueAt()).toBe(NOW + 60_000);
    });
  });

  describe(`${name}: history`, () => {
    it('is told newest first, and keeps the newest 500 lines', async () => {
      const { id } = await added();
      const other = await added();
      for (let i = 0; i < 60; i++) {
        const life = Array.from({ length: 10 }, (_, j) =>
          lifeEvent('refresh_failed', 5, { at: NOW + i * 10 + j, detail: 'd' }),
        );
        await store.transition(id, () => ({ result: true, life }), { durable: false });
      }
      const lines = await store.life(id, 1_000);
      expect(lines).toHaveLength(500);
      expect(lines.map(({ at }) => at)).toEqual(
        Array.from({ length: 500 }, (_, i) => NOW + 599 - i),
      );
      expect(await store.life(id, 3)).toEqual(lines.slice(0, 3));
      expect(lines[0]).toEqual(lifeEvent('refresh_failed', 5, { at: NOW + 599, detail: 'd' }));
      expect(await store.life(other.id, 9)).toHaveLength(1);
    });
  });

  describe(`${name}: the outbox`, () => {
    const post = async (message: string, id?: string): Promise<void> => {
      const connection = id ?? (await added()).id;
      await store.transition(
        connection,
        () => ({
          result: true,
          notices: [{ kind: 'attention', actor: 'owner', at: NOW, message }],
        }),
        DURABLE,
      );
    };

    it('hands out messages oldest first, with the name that the connection has now', async () => {
      const { id } = await added({ name: 'before' });
      for (const message of ['one', 'two', 'three']) await post(message, id);
      await store.rename(id, 'after');
      const waiting = await store.pendingNotices(NOW, 2);
      expect(waiting.map(({ message }) => message)).toEqual(['one', 'two']);
      expect(waiting[0]).toMatchObject({ connection: 'after', kind: 'attention', actor: 'owner' });
    });

    it('reserves each message for one deliverer, until the reservation runs out', async () => {
      await post('one');
      const [notice] = await store.pendingNotices(NOW, 9);
      const id = notice?.id ?? -1;
      const second = await place.open();
      const won = await Promise.all([
        store.reserveNotice(id, NOW, NOW + 100),
        second.reserveNotice(id, NOW, NOW + 100),
      ]);
      expect(won.filter(Boolean)).toHaveLength(1);
      expect(await store.pendingNotices(NOW + 99, 9)).toEqual([]);
      expect(await store.pendingNotices(Infinity, 9)).toMatchObject([{ message: 'one' }]);
      expect(await second.reserveNotice(id, NOW + 99, NOW + 200)).toBe(false);
      expect(await store.pendingNotices(NOW + 100, 9)).toHaveLength(1);
      expect(await second.reserveNotice(id, NOW + 100, NOW + 200)).toBe(true);
      await second.noticeDelivered(id);
      expect(await store.pendingNotices(Infinity, 9)).toEqual([]);
      expect(await store.reserveNotice(id, NOW + 1_000, NOW + 2_000)).toBe(false);
      expect(await store.reserveNotice(9_999, NOW, NOW + 1)).toBe(false);
    });
  });

  describe(`${name}: a reservation`, () => {
    it('does not count when it lies so far ahead that the clock must have been set back', async () => {
      const { id: connection } = await added();
      const notices = [{ kind: 'attention', actor: 'owner', at: 1, message: 'm' }] as const;
      await store.transition(connection, () => ({ result: 1, notices }), DURABLE);
      const [notice] = await store.pendingNotices(10_000_000, 10);
      const id = notice?.id ?? 0;
      expect(await store.reserveNotice(id, 10_000_000, 10_060_000)).toBe(true);
      expect(await store.pendingNotices(9_760_000, 10)).toEqual([]);
      expect(await store.reserveNotice(id, 9_760_000, 9_820_000)).toBe(false);
      expect(await store.pendingNotices(9_759_999, 10)).toHaveLength(1);
      expect(await store.reserveNotice(id, 1_000, 61_000)).toBe(true);
    });
  });

  describe(`${name}: leftovers`, () => {
    it('are kept sealed, one an attempt, newest first, until forgotten', async () => {
      const { id } = await added();
      const keep = (attemptId: string, at: number, text: string): Promise<unknown> =>
        store.transition(
          id,
          () => ({ result: true, leftovers: [leftover(id, attemptId, text, at)] }),
          DURABLE,
        );
      await keep('a', NOW, 'first');
      await keep('b', NOW + 1, 'second');
      await keep('a', NOW + 2, 'third');
      const kept = await store.leftovers(id);
      expect(kept.map(({ attemptId }) => attemptId)).toEqual(['a', 'b']);
      const [newest] = kept;
      if (newest === undefined) throw new TypeError('nothing was kept');
      const plain = store.sealer.open(newest.sealed, leftoverContext(id, newest));
      expect(Buffer.from(plain).toString()).toBe('third');
      await store.removeLeftover(id, 'a');
      await store.removeLeftover(id, 'unknown');
      expect((await store.leftovers(id)).map(({ attemptId }) => attemptId)).toEqual(['b']);
    });
  });

  describe(`${name}: answers that nobody could read`, () => {
    it('are kept up to a number, the newest and the one that came last; tokens put away all stay', async () => {
      const { id } = await added();
      const keep = (attemptId: string, at: number, kind: Leftover['kind']): Promise<unknown> =>
        store.transition(
          id,
          () => ({ result: true, leftovers: [leftover(id, attemptId, 'left', at, kind)] }),
          DURABLE,
        );
      for (let i = 0; i < MOST_UNREAD; i++) await keep(`stray-${String(i)}`, NOW - 9, 'stray');
      for (let i = 0; i < MOST_UNREAD + 3; i++) await keep(String(i), NOW + i, 'quarantine');
      await keep('revoked', NOW - 9, 'revoke');
      await keep('late', NOW - 1, 'quarantine');
      const kept = await store.leftovers(id);
      const unread = kept.filter(({ kind }) => kind === 'quarantine');
      expect(unread.map(({ attemptId }) => attemptId)).toEqual([
        ...Array.from({ length: MOST_UNREAD - 1 }, (_, i) => String(MOST_UNREAD + 2 - i)),
        'late',
      ]);
      expect(kept).toHaveLength(2 * MOST_UNREAD + 1);
    });
  });

  describe(`${name}: the change counter`, () => {
    it('moves when another process wrote, and not by itself', async () => {
      const { id } = await added();
      const before = store.changeCounter();
      expect(store.changeCounter()).toBe(before);
      await store.read(id);
      expect(store.changeCounter()).toBe(before);
      await place.write(id, 1, false).done();
      const after = store.changeCounter();
      expect(after).not.toBe(before);
      expect(store.changeCounter()).toBe(after);
    });

    it('moves when another open store in this process wrote', async () => {
      const { id } = await added();
      const second = await place.open();
      const before = store.changeCounter();
      await second.rename(id, 'other');
      expect(store.changeCounter()).not.toBe(before);
    });
  });

  describe(`${name}: secrets`, () => {
    it('lie nowhere in plain text, while open and when closed', async () => {
      const record = await added();
      const { id } = record;
      for (let generation = 2; generation < 6; generation++) {
        const tokens = tokenSet(store, id, generation);
        await store.transition(
          id,
          () => ({ result: 1, connection: { generation, tokens } }),
          DURABLE,
        );
      }
      await place.write(id, 5, false).done();
      const hidden = [
        ...['accessToken', 'refreshToken'].flatMap((field) =>
          [1, 5, 10].map((n) => `${field} ${String(n)}`),
        ),
        'secret of the client',
      ];
      const search = async (): Promise<readonly string[]> => {
        const bytes = await place.bytes();
        expect(bytes.includes(id)).toBe(true);
        return hidden.filter(
          (secret) =>
            bytes.includes(secret) || bytes.includes(Buffer.from(secret).toString('base64')),
        );
      };
      expect(await search()).toEqual([]);
      await store.close();
      expect(await search()).toEqual([]);
    });

    it('open again in another open store, and only where they belong', async () => {
      const record = await added();
      const second = await place.open();
      const tokens = (await second.read(record.id))?.connection.tokens;
      for (const field of ['accessToken', 'refreshToken'] as const) {
        const sealed = tokens?.[field] ?? Buffer.alloc(0);
        const plain = second.sealer.open(sealed, tokenContext(record.id, field, 1));
        expect(Buffer.from(plain).toString()).toBe(`${field} 1`);
        const damaged = expect.objectContaining({ code: 'ERR_STORE_DAMAGED' });
        const elsewhere = [
          tokenContext('other', field, 1),
          tokenContext(record.id, field, 2),
          subscriptionKeyContext(record.id),
        ];
        for (const context of elsewhere) {
          expect(() => second.sealer.open(sealed, context)).toThrow(damaged);
        }
      }
      expect(second.sealer.fingerprint('token')).toBe(store.sealer.fingerprint('token'));
    });
  });

  describe(`${name}: any order of writes`, () => {
    it('leaves what a plain map would hold', async () => {
      interface Step {
        readonly at: number;
        readonly text: string;
        readonly fails: boolean;
      }
      const step: fc.Arbitrary<Step> = fc.record({
        at: fc.nat(3),
        text: fc.string({ unit: 'grapheme', maxLength: 40 }),
        fails: fc.boolean(),
      });
      const records = await Promise.all([0, 1, 2, 3].map(() => added()));
      const model = new Map<string, string | undefined>(records.map(({ id }) => [id, undefined]));
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
          const writes = steps.map(({ at, text, fails }) => {
            const id = records[at]?.id ?? '';
            if (!fails) model.set(id, text);
            return store.transition(
              id,
              () => {
                if (fails) throw new Error('refused');
                return { result: true, connection: { perspioTenantId: text } };
              },
              { durable: false },
            );
          });
          await Promise.allSettled(writes);
          for (const [id, text] of model) {
            expect((await store.read(id))?.connection.perspioTenantId).toBe(text);
          }
        }),
        { numRuns: 50 },
      );
    });
  });

  describe(`${name}: tidying up`, () => {
    it('touches nothing in use', async () => {
      const owner = await store.claims.identify();
      const second = await place.open();
      await second.tidy();
      expect(await second.claims.judge(owner)).toBe('alive');
      expect(await store.claims.identify()).toEqual(owner);
    });
  });

  describe(`${name}: closing`, () => {
    it('lets what is being written come to its end, and may be done twice', async () => {
      const { id } = await added();
      const writing = note(id, 'last');
      await Promise.all([store.close(), store.close()]);
      expect(await writing).toBe(true);
      await expect(store.read(id)).rejects.toMatchObject({ code: 'ERR_KEEPER_CLOSED' });
      await expect(note(id, 'more')).rejects.toMatchObject({ code: 'ERR_KEEPER_CLOSED' });
      const again = await place.open();
      expect((await again.read(id))?.connection.perspioTenantId).toBe('last');
    });
  });
}
