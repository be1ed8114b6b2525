import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  clientSecretContext,
  leftoverContext,
  tokenContext,
} from '../../src/connection/secrets.ts';
import type { Store } from '../../src/store/store.ts';
import { clientRecord, connectionRecord, lifeEvent, tokenSet } from '../support/store-records.ts';

/** A store under test, and ways to look at it from outside. */
export interface StoreUnderTest {
  readonly store: Store;
  /** Opens the same store once more, as another keeper would. */
  another(): Promise<Store>;
  /** Everything the store has written anywhere. */
  written(): Promise<Uint8Array>;
  /** Closes and removes all. */
  end(): Promise<void>;
}

const DURABLE = { durable: true } as const;

/** What every store must do. */
export function describeStore(name: string, open: () => Promise<StoreUnderTest>): void {
  describe(`${name} as a store`, () => {
    let made: StoreUnderTest;
    let store: Store;

    beforeEach(async () => {
      made = await open();
      store = made.store;
      await store.putClient(clientRecord(store));
    });

    afterEach(() => made.end());

    const add = async (id: string, change: Parameters<typeof connectionRecord>[2] = {}) => {
      await store.insert(connectionRecord(store, id, change), lifeEvent('connected'));
    };

    it('hands back what was inserted, to the letter', async () => {
      const record = connectionRecord(store, 'a', {
        subject: { issuer: 'https://as.example', id: 'sub', display: 'Somebody' },
        perspioTenantId: 'in-1',
        state: { kind: 'uncertain', since: 3, reason: 'lost', lastTry: true },
        lastError: { at: 4, outcome: 'throttled', message: 'wait' },
      });
      await store.insert(record, lifeEvent('connected'));
      const view = await store.read('a');
      expect(view?.connection).toEqual(record);
      expect(view?.endpoint).toMatchObject({ endpoint: 'https://as.example/token', failures: 0 });
      expect(await store.resolve('a')).toBe('a');
    });

    it('refuses a second connection of the same name and keeps the first', async () => {
      await add('a');
      await expect(add('b', { name: 'a' })).rejects.toMatchObject({
        code: 'ERR_CONNECTION_EXISTS',
      });
      expect(await store.read('b')).toBeUndefined();
      expect((await store.read('a'))?.connection.name).toBe('a');
    });

    it('applies all of a change', async () => {
      await add('a');
      const result = await store.transition(
        'a',
        ({ connection, endpoint }) => ({
          result: connection.generation,
          connection: { generation: 2, tokens: tokenSet(store, 'a', 2) },
          client: { refusedAt: 7, refusal: 'no' },
          endpoint: { ...endpoint, failures: 3 },
          life: [lifeEvent('refreshed', 2)],
          notices: [{ kind: 'attention', actor: 'owner', at: 8, message: 'act' }],
          leftovers: [
            {
              kind: 'stray',
              grantId: 'grant-1',
              attemptId: 'attempt-1',
              sealed: store.sealer.seal('stray', leftoverContext('attempt-1')),
              at: 9,
            },
          ],
        }),
        DURABLE,
      );
      expect(result).toBe(1);
      const view = await store.read('a');
      expect(view).toMatchObject({
        connection: { generation: 2 },
        client: { refusedAt: 7, refusal: 'no' },
        endpoint: { failures: 3 },
      });
      expect((await store.life('a', 10)).map(({ event }) => event)).toEqual([
        'refreshed',
        'connected',
      ]);
      expect(await store.pendingNotices(10, 10)).toMatchObject([
        { connection: 'a', message: 'act' },
      ]);
      expect(await store.leftovers('a')).toMatchObject([{ kind: 'stray', attemptId: 'attempt-1' }]);
    });

    it('applies nothing of a change whose decision throws, and spoils no other in the same turn', async () => {
      await add('a');
      await add('b');
      const failing = store.transition(
        'a',
        () => {
          throw new Error('decision failed');
        },
        DURABLE,
      );
      const rename = { connection: { perspioTenantId: 'in-2' }, result: 'done' };
      const passing = store.transition('b', () => rename, DURABLE);
      await expect(failing).rejects.toThrow('decision failed');
      expect(await passing).toBe('done');
      expect((await store.read('a'))?.connection.perspioTenantId).toBeUndefined();
      expect((await store.read('b'))?.connection.perspioTenantId).toBe('in-2');
    });

    it('answers undefined for a connection that is not there', async () => {
      expect(await store.transition('nobody', () => ({ result: 1 }), DURABLE)).toBeUndefined();
      expect(await store.read('nobody')).toBeUndefined();
      expect(await store.resolve('nobody')).toBeUndefined();
    });

    it('loses no step of two keepers that count at once', async () => {
      await add('a', { generation: 0 });
      const other = await made.another();
      const count = (by: Store) =>
        by.transition(
          'a',
          ({ connection }) => ({
            result: true,
            connection: { backoff: { failures: connection.backoff.failures + 1, notBefore: 0 } },
          }),
          { durable: false },
        );
      const steps = Array.from({ length: 100 }, (_, i) => count(i % 2 === 0 ? store : other));
      await Promise.all(steps);
      expect((await store.read('a'))?.connection.backoff.failures).toBe(100);
      await other.close();
    });

    it('tells by its counter that another keeper wrote', async () => {
      await add('a');
      const other = await made.another();
      const before = store.changeCounter();
      expect(store.changeCounter()).toBe(before);
      await other.rename('a', 'b');
      expect(store.changeCounter()).not.toBe(before);
      await other.close();
    });

    it('renames, keeps the id, and refuses a name in use', async () => {
      await add('a');
      await add('b');
      await store.rename('a', 'c');
      expect(await store.resolve('c')).toBe('a');
      expect(await store.resolve('a')).toBeUndefined();
      await expect(store.rename('a', 'b')).rejects.toMatchObject({ code: 'ERR_CONNECTION_EXISTS' });
    });

    it('removes a connection with all that belongs to it', async () => {
      await add('a');
      await store.transition(
        'a',
        () => ({
          result: true,
          notices: [{ kind: 'attention', actor: 'owner', at: 1, message: 'm' }],
        }),
        DURABLE,
      );
      await store.remove('a');
      expect(await store.read('a')).toBeUndefined();
      expect(await store.life('a', 10)).toEqual([]);
      expect(await store.pendingNotices(10, 10)).toEqual([]);
    });

    it('lists in order of name, page by page', async () => {
      for (const id of ['c', 'a', 'b']) await add(id);
      const names = async (options?: { afterName?: string; limit?: number }) =>
        (await store.list(options)).map(({ connection }) => connection.name);
      expect(await names()).toEqual(['a', 'b', 'c']);
      expect(await names({ limit: 2 })).toEqual(['a', 'b']);
      expect(await names({ afterName: 'b' })).toEqual(['c']);
    });

    it('finds what is due, the soonest-expiring first, and nothing of a refused client', async () => {
      const due = (id: string, dueAt: number, accessExpiresAt: number) =>
        add(id, { tokens: tokenSet(store, id, 1, { dueAt, accessExpiresAt }) });
      await due('late', 100, 900);
      await due('soon', 200, 300);
      await due('not yet', 5_000, 9_000);
      await add('attention', {
        state: {
          kind: 'attention',
          since: 1,
          actor: 'owner',
          code: 'ERR_GRANT_REFUSED',
          reason: 'r',
          remedy: 'm',
        },
      });
      expect(await store.nextDueAt()).toBe(100);
      expect(await store.due(1_000, 10)).toEqual(['soon', 'late']);
      expect(await store.due(1_000, 1)).toEqual(['soon']);
      const refuse = { result: true, client: { refusedAt: 1, refusal: 'no' } };
      await store.transition('late', () => refuse, DURABLE);
      expect(await store.due(1_000, 10)).toEqual([]);
      expect(await store.nextDueAt()).toBeUndefined();
    });

    it('keeps one client for one registration and its overrides', async () => {
      const same = await store.putClient(clientRecord(store, { id: 'client-2' }));
      expect(same.id).toBe('client-1');
      const other = await store.putClient(
        clientRecord(store, { id: 'client-3', overrides: { rotation: 'none' } }),
      );
      expect(other.id).toBe('client-3');
      expect(await store.clients()).toHaveLength(2);
    });

    it('replaces the secret of every client of a registration and lifts its refusal', async () => {
      await store.putClient(
        clientRecord(store, { id: 'client-3', overrides: { rotation: 'none' } }),
      );
      await add('a');
      await add('b', { clientId: 'client-3' });
      await store.transition(
        'a',
        () => ({ result: 1, client: { refusedAt: 1, refusal: 'no' } }),
        DURABLE,
      );
      expect((await store.clients()).every(({ refusedAt }) => refusedAt === 1)).toBe(true);
      const count = await store.setClientSecret(
        { tokenEndpoint: 'https://as.example/token', clientId: 'app' },
        ({ id }, revision) => store.sealer.seal('fresh', clientSecretContext({ id, revision })),
        77,
      );
      expect(count).toBe(2);
      for (const client of await store.clients()) {
        expect(client).toMatchObject({ revision: 2, refusedAt: undefined, secretExpiresAt: 77 });
        const plain = store.sealer.open(
          client.secret ?? new Uint8Array(),
          clientSecretContext(client),
        );
        expect(Buffer.from(plain).toString()).toBe('fresh');
      }
    });

    it('gives a notice to one keeper at a time, again after its reservation, and never once delivered', async () => {
      await add('a');
      const notices = [{ kind: 'attention', actor: 'owner', at: 1, message: 'm' }] as const;
      await store.transition('a', () => ({ result: 1, notices }), DURABLE);
      const [notice] = await store.pendingNotices(10, 10);
      const id = notice?.id ?? 0;
      expect(await store.reserveNotice(id, 10, 100)).toBe(true);
      expect(await store.reserveNotice(id, 11, 100)).toBe(false);
      expect(await store.pendingNotices(50, 10)).toEqual([]);
      expect(await store.pendingNotices(101, 10)).toHaveLength(1);
      expect(await store.reserveNotice(id, 101, 200)).toBe(true);
      await store.noticeDelivered(id, 102);
      expect(await store.pendingNotices(1_000, 10)).toEqual([]);
      expect(await store.reserveNotice(id, 1_000, 2_000)).toBe(false);
    });

    it('gives a notice again when its reservation lies so far ahead that the clock must have been set back', async () => {
      await add('a');
      const notices = [{ kind: 'attention', actor: 'owner', at: 1, message: 'm' }] as const;
      await store.transition('a', () => ({ result: 1, notices }), DURABLE);
      const [notice] = await store.pendingNotices(10_000_000, 10);
      const id = notice?.id ?? 0;
      expect(await store.reserveNotice(id, 10_000_000, 10_060_000)).toBe(true);
      expect(await store.pendingNotices(9_760_000, 10)).toEqual([]);
      expect(await store.reserveNotice(id, 9_760_000, 9_820_000)).toBe(false);
      expect(await store.pendingNotices(9_759_999, 10)).toHaveLength(1);
      expect(await store.reserveNotice(id, 1_000, 61_000)).toBe(true);
    });

    it('forgets a leftover when told', async () => {
      await add('a');
      const sealed = store.sealer.seal('x', leftoverContext('attempt-1'));
      const leftovers = [
        { kind: 'quarantine', grantId: 'g', attemptId: 'attempt-1', sealed, at: 1 },
      ] as const;
      await store.transition('a', () => ({ result: 1, leftovers }), DURABLE);
      await store.removeLeftover('a', 'attempt-1');
      expect(await store.leftovers('a')).toEqual([]);
    });

    it('keeps a bounded history, the newest of it', async () => {
      await add('a');
      for (let generation = 1; generation <= 640; generation++) {
        await store.transition(
          'a',
          () => ({ result: 1, life: [lifeEvent('refreshed', generation)] }),
          {
            durable: false,
          },
        );
      }
      const life = await store.life('a', 10_000);
      expect(life.length).toBeLessThanOrEqual(564);
      expect(life[0]?.generation).toBe(640);
    });

    it('tidies up without touching anything in use', async () => {
      await add('a');
      const owner = await store.claims.identify();
      const other = await made.another();
      await other.tidy();
      expect(await other.claims.judge(owner)).toBe('alive');
      expect(await store.claims.identify()).toEqual(owner);
      await other.close();
    });

    it('writes no secret in the clear', async () => {
      await add('secretive');
      const bytes = Buffer.from(await made.written());
      expect(bytes.includes('secretive')).toBe(true);
      for (const secret of ['accessToken 1', 'refreshToken 1', 'secret of the client']) {
        expect(bytes.includes(secret)).toBe(false);
      }
    });

    it('opens a secret only where it belongs', async () => {
      await add('a');
      const sealed = (await store.read('a'))?.connection.tokens?.refreshToken ?? new Uint8Array();
      const open = (record: string, generation: number) => () =>
        store.sealer.open(sealed, tokenContext(record, 'refreshToken', generation));
      expect(Buffer.from(open('a', 1)()).toString()).toBe('refreshToken 1');
      expect(open('a', 2)).toThrow(expect.objectContaining({ code: 'ERR_STORE_DAMAGED' }));
      expect(open('b', 1)).toThrow(expect.objectContaining({ code: 'ERR_STORE_DAMAGED' }));
    });
  });
}
