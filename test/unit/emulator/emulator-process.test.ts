import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startEmulatorProcess, type EmulatorProcess } from '../../support/emulator-process.ts';
import { call, refresh } from '../../support/emulator-requests.ts';

let emulator: EmulatorProcess;

beforeEach(async () => {
  emulator = await startEmulatorProcess({ rotation: 'single-use', opaqueAccessTokens: true });
});
afterEach(() => emulator.close());

describe('an emulator in a process of its own', () => {
  it('is driven and judged from outside', async () => {
    const { refreshToken = '', accessToken, grantId } = await emulator.issueGrant();
    expect(await emulator.isRefreshTokenHonoured(refreshToken)).toBe(true);
    await emulator.faults.next('hold-after-commit');
    const held = refresh(emulator, refreshToken);
    await emulator.ledger.waitFor(1, { held: true });
    expect(await emulator.faults.held()).toBe(1);
    expect(await emulator.faults.release()).toBe(1);
    expect((await held).status).toBe(200);
    expect(await emulator.describe()).toMatchObject([{ grantId, generation: 2, alive: true }]);
    expect((await refresh(emulator, refreshToken)).status).toBe(400);
    expect(await emulator.isAccessTokenAlive(accessToken)).toBe(false);
    expect(await emulator.ledger.count({ replay: true })).toBe(1);
    const record = await call(`${emulator.controlUrl}/ledger`);
    expect(record.json()['result']).toHaveLength(2);
    await emulator.ledger.clear();
    expect(await emulator.ledger.entries()).toEqual([]);
  });

  it('takes clients, secrets, users and time from outside', async () => {
    await emulator.registerClient({ clientId: 'added', clientSecret: 'first' });
    const { refreshToken } = await emulator.issueGrant({ clientId: 'added' });
    await emulator.setClientSecret('added', 'second');
    const client = { client_id: 'added', client_secret: 'second' };
    await emulator.expireClientSecret('added');
    const expired = await refresh(emulator, refreshToken, client);
    expect(expired.json()['error_codes']).toEqual([7000222]);
    const secret = await emulator.resetClientSecret('added');
    const before = await emulator.clock.now();
    await emulator.clock.advance(91 * 86_400_000);
    expect((await emulator.clock.now()) - before).toBeGreaterThanOrEqual(91 * 86_400_000);
    const idle = await refresh(emulator, refreshToken, { ...client, client_secret: secret });
    expect(idle.json()['error_codes']).toEqual([700082]);
  });

  it('says what is wrong with an order', async () => {
    await expect(emulator.revokeGrant('grant-9')).rejects.toThrow('grant-9');
    await expect(emulator.faults.next('no-such-fault' as never)).rejects.toThrow('no-such-fault');
    const unknown = await call(`${emulator.controlUrl}/nothing`);
    expect(unknown.status).toBe(400);
  });

  it('takes no order from a web page', async () => {
    const body = '{"user":"demo@perspio.io"}';
    const reply = await call(`${emulator.controlUrl}/user/revoke`, { method: 'POST', body });
    expect(reply.status).toBe(400);
  });

  it('ends when its standard input closes', async () => {
    const gone = once(emulator.process, 'exit');
    emulator.process.stdin?.end();
    expect(await gone).toEqual([0, null]);
  });
});
