import { DatabaseSync } from 'node:sqlite';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { attempt } from '../../../src/daemon/webhooks/attempt.ts';
import { readReceivers } from '../../../src/daemon/webhooks/receivers.ts';
import { Webhooks } from '../../../src/daemon/webhooks/webhooks.ts';
import type { DaemonSettings, WebhookSettings } from '../../../src/settings.ts';
import { silentLog } from '../../../src/system/log.ts';
import { systemRandom } from '../../../src/system/random.ts';
import { setSabotage } from '../../support/failpoints.ts';
import { countedHooks, daemonFixture, type TestDaemon } from '../../support/daemon-fixture.ts';
import { hookSecret, startHookReceiver, type HookReceiver } from '../../support/hook-receiver.ts';

vi.setConfig({ testTimeout: 180_000 });

const start = daemonFixture();
const SECRET = hookSecret(1);
const environment = { HOOK_SECRET: SECRET, OTHER_SECRET: hookSecret(2) };
const [SECOND, MINUTE, HOUR] = [1_000, 60_000, 3_600_000];
let receiver: HookReceiver;
let now: () => number = Date.now;

beforeEach(async () => {
  receiver = await startHookReceiver(SECRET, () => now());
});

afterEach(async () => {
  await receiver.stop();
});

function hook(change: Partial<WebhookSettings> = {}): DaemonSettings {
  const plain = { name: 'ops', url: receiver.url, secretVariable: 'HOOK_SECRET' };
  return { webhooks: [{ ...plain, ...change }] };
}

async function begin(settings = hook()): Promise<TestDaemon> {
  const test = await start(settings, environment);
  now = () => test.world.clock.now();
  return test;
}

/** Lets time pass until something holds, with leaps of the wall clock if they are asked for; it stands while an answer is awaited that will come. */
async function until(test: TestDaemon, holds: () => boolean, jumpMs = 0): Promise<void> {
  for (let steps = 0; !holds(); steps++) {
    if (steps > 20_000) throw new Error(`does not come to hold: ${test.log.join('\n')}`);
    if (test.underWay() > receiver.hanging) await delay(1);
    else {
      const { clock } = test.world;
      if (jumpMs > 0) clock.setWall(clock.now() + jumpMs);
      await test.world.pass(250);
    }
  }
}

/** Pauses and resumes a connection in turns: an event each time. */
async function happen(test: TestDaemon, name: string, times: number): Promise<void> {
  const connection = test.world.first.keeper.connection(name);
  for (let i = 0; i < times; i++) await (i % 2 === 0 ? connection.pause() : connection.resume());
}

/** What was accepted of a connection, as ids of events. */
function idsOf(name: string): number[] {
  return receiver.accepted
    .filter(({ data }) => data.connection === name)
    .map(({ data }) => data.id);
}

function inOrder(ids: readonly number[]): boolean {
  return ids.every((id, i) => i === 0 || id > (ids[i - 1] ?? 0));
}

describe('webhooks', () => {
  it('tell what happens, as Standard Webhooks has it', async () => {
    const test = await begin();
    await test.world.add('alpha');
    await until(test, () => receiver.accepted.length === 1);
    const [heard] = receiver.accepted;
    const { at } = test.store.access.events(0, 1)[0] ?? {};
    expect(heard).toMatchObject({
      type: 'connected',
      timestamp: new Date(at ?? 0).toISOString(),
      data: { id: 1, at, connection: 'alpha', generation: 1, detail: 'imported' },
    });
    expect(heard?.headers).toMatchObject({ 'content-type': 'application/json' });
    expect(heard?.headers['webhook-signature']).toMatch(/^v1,[\w+/]{43}=$/);
  });

  it('have every member of an event, null where there is nothing to tell', async () => {
    const test = await begin(hook({ events: ['paused'] }));
    await test.world.add('alpha');
    await happen(test, 'alpha', 1);
    await until(test, () => receiver.accepted.length === 1);
    const [heard] = receiver.accepted;
    const { id, at } = test.store.access.events(1, 1)[0] ?? {};
    expect(heard?.data).toEqual({ id, at, connection: 'alpha', generation: 1, detail: null });
  });

  it('tell the kinds of events that were asked for, and what happens from then on', async () => {
    const test = await begin(hook({ events: ['paused'] }));
    await test.world.add('alpha');
    await happen(test, 'alpha', 4);
    await until(test, () => receiver.accepted.length === 2);
    const more: WebhookSettings = { ...hook().webhooks?.[0], name: 'late' } as WebhookSettings;
    await test.daemon.reload({
      webhooks: [...(hook({ events: ['paused'] }).webhooks ?? []), more],
    });
    await happen(test, 'alpha', 1);
    await until(test, () => receiver.accepted.length === 4);
    expect(receiver.heard.map(({ type }) => type)).toEqual(Array(4).fill('paused'));
  });

  it('hold back what follows at a connection until an event has arrived, and only there', async () => {
    const test = await begin();
    for (const name of ['bad', 'good']) await test.world.add(name);
    await until(test, () => receiver.accepted.length === 2);
    receiver.reply = ({ data }) => ({ status: data.connection === 'bad' ? 500 : 200 });
    await happen(test, 'bad', 3);
    await happen(test, 'good', 3);
    await until(test, () => idsOf('good').length === 4);
    await until(test, () => receiver.heard.length === 7);
    const tried = receiver.heard.filter(({ data }) => data.connection === 'bad').slice(1);
    expect(new Set(tried.map(({ id }) => id)).size).toBe(1);
    receiver.reply = () => ({ status: 200 });
    await until(test, () => idsOf('bad').length === 4);
    expect(inOrder(idsOf('bad')) && inOrder(idsOf('good'))).toBe(true);
    expect(test.log.filter((line) => line.includes('a webhook fails'))).toHaveLength(1);
    expect(test.log.join('\n')).toContain('arrives again');
  });

  it('would come in disorder if a connection had no line', async () => {
    const test = await begin();
    await test.world.add('alpha');
    await until(test, () => receiver.accepted.length === 1);
    setSabotage('webhook-order', true);
    try {
      receiver.reply = ({ type }) => ({ status: type === 'paused' ? 500 : 200 });
      await happen(test, 'alpha', 2);
      await until(test, () => receiver.accepted.length === 2);
      receiver.reply = () => ({ status: 200 });
      await until(test, () => receiver.accepted.length === 3);
      expect(inOrder(idsOf('alpha'))).toBe(false);
    } finally {
      setSabotage('webhook-order', false);
    }
  });

  it('give up on a receiver that hangs after 15 s, eight at once, then one until it is well', async () => {
    const test = await begin();
    receiver.reply = () => 'hang';
    for (let i = 0; i < 12; i++) await test.world.add(`c${i}`);
    await until(test, () => receiver.hanging === 8);
    const since = now();
    await until(test, () => receiver.heard.length > 8);
    expect(now() - since).toBeGreaterThanOrEqual(14 * SECOND);
    await until(test, () => now() - since > 31 * SECOND);
    const before = receiver.heard.length;
    let most = 0;
    await until(test, () => {
      most = Math.max(most, receiver.hanging);
      return now() - since > 92 * SECOND;
    });
    expect(most).toBe(1);
    expect(receiver.heard.length - before).toBeGreaterThan(2);
    expect(receiver.heard.length - before).toBeLessThan(6);
    receiver.reply = () => ({ status: 200 });
    await until(test, () => receiver.accepted.length === 12);
  });

  it('are tried for three days, then shown among the dead, and sent again when they are told to', async () => {
    const test = await begin();
    await test.world.add('alpha');
    await until(test, () => receiver.accepted.length === 1);
    const times: number[] = [];
    receiver.reply = () => {
      times.push(now());
      return { status: 500 };
    };
    await happen(test, 'alpha', 1);
    await until(test, () => times.length === 4, SECOND);
    await until(test, () => times.length === 12, 5 * MINUTE);
    const waits = times.slice(1).map((at, i) => at - (times[i] ?? 0));
    const least = [5 * SECOND, 30 * SECOND, 2 * MINUTE, 10 * MINUTE, 30 * MINUTE].concat(
      [2, 5, 10, 14, 20, 24].map((hours) => hours * HOUR),
    );
    for (const [i, wait] of waits.entries()) {
      expect(wait).toBeGreaterThanOrEqual(least[i] ?? 0);
      expect(wait).toBeLessThan((least[i] ?? 0) * 1.2 + 6 * MINUTE);
    }
    receiver.reply = () => ({ status: 200 });
    await happen(test, 'alpha', 2);
    await until(test, () => receiver.accepted.length > 1);
    const { json } = await test.ask('/v1/dead-letters');
    expect(json).toMatchObject({
      deadLetters: [
        {
          ...{ webhook: 'ops', attempts: 12, reason: 'it answered 500' },
          ...{ event: 'paused', eventId: 2, connection: 'alpha' },
        },
      ],
      next: null,
    });
    const metrics = (await test.ask('/metrics')).text;
    expect(metrics).toContain('evergrant_webhook_dead_letters 1\n');
    expect(metrics).toContain('evergrant_webhook_attempts_total{outcome="failed"} 12\n');
    const { id } = json.deadLetters[0];
    const again = `/v1/dead-letters/${id}/retry`;
    expect((await test.ask(again, { method: 'POST', body: {} })).status).toBe(200);
    await until(test, () => receiver.accepted.some((heard) => heard.id === id));
    expect((await test.ask('/v1/dead-letters')).json.deadLetters).toEqual([]);
    const missing = await test.ask(again, { method: 'POST', body: {} });
    expect(missing).toMatchObject({ status: 404, json: { code: 'ERR_LETTER_UNKNOWN' } });
  });

  it('are not tried again once the receiver says that it is gone', async () => {
    const test = await begin();
    receiver.reply = () => ({ status: 410 });
    await test.world.add('alpha');
    await test.world.add('beta');
    await until(test, () => test.store.webhooks.counts().dead === 2);
    await until(test, () => test.log.filter((line) => line.includes('410')).length === 2);
    const told = test.log.filter((line) => line.includes('it answered 410'));
    expect(told).toEqual([/given up/, /given up/].map((words) => expect.stringMatching(words)));
    expect(test.log.join()).not.toContain('is tried again');
    const page = await test.ask('/v1/dead-letters?limit=1');
    expect(page.json.deadLetters).toMatchObject([{ attempts: 1, connection: 'beta' }]);
    expect(page.json.webhooks).toEqual([{ name: 'ops', waiting: 0, dead: 2 }]);
    const next = await test.ask(`/v1/dead-letters?limit=1&webhook=ops&cursor=${page.json.next}`);
    expect(next.json.deadLetters).toMatchObject([{ connection: 'alpha' }]);
    const [{ id }] = page.json.deadLetters;
    await test.ask(`/v1/dead-letters/${id}/retry`, { method: 'POST', body: {} });
    const goneOn = await test.ask(`/v1/dead-letters?limit=1&cursor=${page.json.next}`);
    expect(goneOn.json.deadLetters).toMatchObject([{ connection: 'alpha' }]);
    const made = Buffer.from('nonsense').toString('base64url');
    expect((await test.ask(`/v1/dead-letters?cursor=${made}`)).status).toBe(400);
    expect((await test.ask('/v1/dead-letters?webhook=none')).json.deadLetters).toEqual([]);
  });

  it('wait as long as the receiver asks, all of them where it is too busy', async () => {
    const test = await begin();
    receiver.reply = () => ({ status: 503, headers: { 'retry-after': '600' } });
    await test.world.add('alpha');
    await until(test, () => receiver.heard.length === 1);
    await until(test, () => test.log.join().includes('it answered 503'));
    const since = now();
    receiver.reply = () => ({ status: 200 });
    await test.world.add('beta');
    await until(test, () => receiver.accepted.length === 2, SECOND);
    expect(now() - since).toBeGreaterThan(590 * SECOND);
  });

  it('do not follow redirects', async () => {
    await using other = await startHookReceiver(SECRET, () => now());
    const test = await begin();
    receiver.reply = () => ({ status: 307, headers: { location: other.url } });
    await test.world.add('alpha');
    await until(test, () => receiver.heard.length === 2);
    expect([other.heard, other.forged]).toEqual([[], []]);
    expect(test.log.join('\n')).toContain('redirects are not followed');
  });

  it('go on after a restart with what was recorded meanwhile', async () => {
    const test = await begin();
    await test.world.add('alpha');
    receiver.reply = () => 'cut';
    await until(test, () => receiver.heard.length > 0);
    await test.world.during(test.daemon.close(20_000));
    await happen(test, 'alpha', 5);
    receiver.reply = () => ({ status: 200 });
    const { hooks } = countedHooks();
    const next = await webhooksOf(test, hooks);
    await until(test, () => receiver.accepted.length === 6);
    expect(inOrder(idsOf('alpha'))).toBe(true);
    await next.close(AbortSignal.abort());
  });

  it.each([
    ['once', false, 30],
    ['would be sent more than once without the lease', true, 31],
  ])('of two daemons arrive %s', async (_, isOff, least) => {
    const test = await begin();
    const { hooks } = countedHooks();
    const other = await webhooksOf(test, hooks);
    if (isOff) setSabotage('webhook-lease', true);
    try {
      for (let i = 0; i < 30; i++) await test.world.add(`c${i}`);
      await until(test, () => new Set(receiver.accepted.map(({ id }) => id)).size === 30);
      for (let i = 0; i < 20; i++) await test.world.pass(250);
      expect(receiver.accepted.length).toBeGreaterThanOrEqual(least);
      if (!isOff) expect(receiver.accepted.length).toBe(30);
    } finally {
      setSabotage('webhook-lease', false);
      await other.close(AbortSignal.abort());
    }
  });

  it('take over a new secret and address on SIGHUP, and forget a receiver that was taken out', async () => {
    const test = await begin(hook({ url: 'http://127.0.0.1:9/hook?from=evergrant' }));
    await test.world.add('alpha');
    await until(test, () => test.log.join().includes('cannot be reached'));
    await expect(test.daemon.reload(hook({ secretVariable: 'NONE' }))).rejects.toThrow('NONE');
    await test.daemon.reload(hook({ secretVariable: 'OTHER_SECRET' }));
    await until(test, () => receiver.forged.length === 1);
    await test.daemon.reload(hook());
    await until(test, () => receiver.accepted.length === 1);
    receiver.reply = () => ({ status: 500 });
    await test.world.add('beta');
    await until(test, () => receiver.heard.length === 2);
    await test.daemon.reload({});
    expect(test.store.webhooks.counts()).toEqual({ waiting: 0, dead: 0 });
  });

  it('are those of the settings that were read last, whenever the store can be written', async () => {
    const test = await start();
    const { clock } = test.world;
    const store = test.store.webhooks;
    const set = vi.spyOn(store, 'setReceivers').mockRejectedValueOnce(new Error('disk full'));
    const { hooks: streaming } = countedHooks();
    const parts = { store, streaming, clock, random: systemRandom, log: silentLog };
    const webhooks = new Webhooks(parts);
    await webhooks.use(await readReceivers(hook().webhooks, environment));
    // While it is tried again, the settings are read again, and what fails is the former.
    const slow = Promise.withResolvers<undefined>();
    set.mockReturnValueOnce(slow.promise);
    await test.world.pass(5_000);
    await webhooks.use([]);
    slow.reject(new Error('disk full'));
    await test.world.pass(6_000);
    expect(set.mock.calls).toEqual([[['ops']], [['ops']], [[]], [[]]]);
    await test.world.during(webhooks.close(AbortSignal.abort()));
  });

  it('end at once what begins when it is too late already', async () => {
    const test = await begin({});
    receiver.reply = () => 'hang';
    const [ops] = await readReceivers(hook().webhooks, environment);
    const event = { id: 1, at: 0, event: 'refreshed', connectionId: undefined };
    const rest = { connection: undefined, generation: undefined, detail: undefined };
    const letter = { id: 'a', receiver: 'ops', event: { ...event, ...rest }, failures: 0 };
    const { hooks: streaming } = countedHooks();
    const sending = { streaming, clock: test.world.clock, ended: AbortSignal.abort() };
    expect(await attempt(letter, ops!, sending)).toMatchObject({ kind: 'failed' });
    await streaming.close();
  });

  it('say so where the store no longer had what was to be told', async () => {
    const test = await begin(hook({ events: ['attention'] }));
    await test.world.pass(1_000);
    const database = new DatabaseSync(path.join(test.world.home, 'store', 'evergrant.db'));
    database.exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20480)
      INSERT INTO feed (at, event) SELECT i, 'refreshed' FROM n`);
    database.close();
    await until(test, () => test.log.join().includes('no longer had events'));
    expect(test.log.join('\n')).toContain('missed=480');
  });
});

describe('signing secrets', () => {
  it.each([
    ['', 'is empty'],
    ['secret', 'holds no signing secret'],
    ['whsec_', 'holds no signing secret'],
    [`whsec_${Buffer.alloc(23).toString('base64')}`, 'holds no signing secret'],
    [`whsec_${Buffer.alloc(65).toString('base64')}`, 'holds no signing secret'],
    [`${SECRET} ${SECRET}x`, 'holds no signing secret'],
  ])('%j is refused', async (text, message) => {
    const read = readReceivers(hook().webhooks, { HOOK_SECRET: text });
    await expect(read).rejects.toMatchObject({ code: 'ERR_CONFIGURATION' });
    await expect(read).rejects.toThrow(`webhook ops: the variable HOOK_SECRET ${message}`);
  });

  it('may be several, which all sign', async () => {
    const test = await start(hook(), { HOOK_SECRET: `${hookSecret(7)}\n${SECRET}\n` });
    now = () => test.world.clock.now();
    await test.world.add('alpha');
    await until(test, () => receiver.accepted.length === 1);
    expect(receiver.accepted[0]?.headers['webhook-signature']).toMatch(/^v1,\S+ v1,\S+$/);
  });
});

/** The webhooks of another daemon of the same home, in this process. */
async function webhooksOf(
  { world, store }: TestDaemon,
  streaming: ReturnType<typeof countedHooks>['hooks'],
): Promise<Webhooks> {
  const log = { info: () => undefined, warn: () => undefined };
  const parts = { store: store.webhooks, streaming, clock: world.clock, random: systemRandom, log };
  const webhooks = new Webhooks(parts);
  await webhooks.use(await readReceivers(hook().webhooks, environment));
  return webhooks;
}
