import { getEventListeners } from 'node:events';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Emulator } from '../../../src/emulator/emulator.ts';
import { createLedger } from '../../../src/emulator/ledger.ts';
import { fingerprint } from '../../../src/emulator/fingerprint.ts';
import { emulatorFixture } from '../../support/emulator-fixture.ts';
import { call, refresh, requestToken } from '../../support/emulator-requests.ts';

const startEmulator = emulatorFixture();
let emulator: Emulator;

beforeEach(async () => {
  emulator = await startEmulator();
});

const arrival = { at: 0, endpoint: 'token', method: 'POST', path: '/', connection: 1 } as const;

describe('the ledger', () => {
  it('has one row for every request, in order, whatever came of it', async () => {
    await call(`${emulator.origin}/nowhere`);
    await call(`${emulator.issuer}/.well-known/openid-configuration`);
    await requestToken(emulator, { grant_type: 'refresh_token', refresh_token: 'unknown' });
    await call(`${emulator.apiBase}/assets/v3/`);
    const entries = emulator.ledger.entries();
    expect(entries.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4]);
    expect(entries.map(({ endpoint, outcome }) => [endpoint, outcome])).toEqual([
      ['unknown', 'not_found'],
      ['discovery', 'answered'],
      ['token', 'invalid_grant'],
      ['api', 'refused'],
    ]);
  });

  it('knows which token was presented and which were issued, by fingerprint', async () => {
    const { refreshToken = '', grantId } = await emulator.issueGrant();
    const reply = await refresh(emulator, refreshToken, { claims: '{"access_token":{}}' });
    const issued = reply.json();
    expect(emulator.ledger.entries()).toMatchObject([
      {
        grantId,
        grantType: 'refresh_token',
        clientId: 'perspio-demo',
        user: 'demo@perspio.io',
        claims: '{"access_token":{}}',
        presentedFingerprint: fingerprint(refreshToken),
        presentedGeneration: 1,
        issuedFingerprint: fingerprint(String(issued['refresh_token'])),
        issuedGeneration: 2,
        accessTokenFingerprint: fingerprint(String(issued['access_token'])),
        delivered: true,
      },
    ]);
  });

  it('never holds a token, a code or a secret', async () => {
    const { refreshToken = '', accessToken } = await emulator.issueGrant();
    const reply = await refresh(emulator, refreshToken);
    const headers = { authorization: `Bearer ${accessToken}` };
    await call(`${emulator.apiBase}/assets/v3/`, { headers });
    const record = JSON.stringify([emulator.ledger.entries(), emulator.describe()]);
    const issued = reply.json();
    for (const secret of [
      refreshToken,
      accessToken,
      'demo~secret+1',
      String(issued['access_token']),
    ]) {
      expect(record).not.toContain(secret);
    }
  });

  it('tells connections apart', async () => {
    const headers = { connection: 'close' };
    await requestToken(emulator, {}, headers);
    await requestToken(emulator, {}, headers);
    const connections = emulator.ledger.entries().map(({ connection }) => connection);
    expect(new Set(connections).size).toBe(2);
  });

  it('counts and selects by any members', async () => {
    await requestToken(emulator, {
      grant_type: 'client_credentials',
      scope: 'api://perspiotalk/.default',
    });
    await requestToken(emulator, { grant_type: 'refresh_token', refresh_token: 'unknown' });
    expect(emulator.ledger.count()).toBe(2);
    expect(emulator.ledger.count({ outcome: 'issued' })).toBe(1);
    expect(emulator.ledger.count({ outcome: 'issued', grantType: 'refresh_token' })).toBe(0);
  });

  it('gives out copies, which do not change when the row does', () => {
    const ledger = createLedger();
    const row = ledger.open(arrival);
    const [before] = ledger.entries();
    ledger.note(row, { outcome: 'issued' });
    expect(before).toMatchObject({ outcome: 'pending' });
    expect(ledger.entries()).toMatchObject([{ outcome: 'issued' }]);
  });

  it('counts for those who wait only rows that still match', async () => {
    const ledger = createLedger();
    const row = ledger.open(arrival);
    const waiting = ledger.waitFor(2, { outcome: 'pending' });
    ledger.note(row, { outcome: 'issued' });
    ledger.open(arrival);
    ledger.open(arrival);
    expect((await waiting).map(({ sequence }) => sequence)).toEqual([2, 3]);
  });

  it('counts for those who wait nothing from before it was cleared', async () => {
    const ledger = createLedger();
    ledger.open(arrival);
    const waiting = ledger.waitFor(2);
    ledger.clear();
    ledger.open(arrival);
    ledger.open(arrival);
    expect((await waiting).map(({ sequence }) => sequence)).toEqual([2, 3]);
  });

  it('forgets when it is cleared, and goes on counting', async () => {
    await requestToken(emulator, {});
    emulator.ledger.clear();
    expect(emulator.ledger.count()).toBe(0);
    await requestToken(emulator, {});
    expect(emulator.ledger.entries()).toMatchObject([{ sequence: 2 }]);
  });

  it('wakes those who wait as soon as enough rows match', async () => {
    const waiting = emulator.ledger.waitFor(2, { outcome: 'invalid_request', delivered: true });
    await requestToken(emulator, {});
    await requestToken(emulator, {});
    expect((await waiting).map(({ sequence }) => sequence)).toEqual([1, 2]);
    await expect(emulator.ledger.waitFor(2)).resolves.toHaveLength(2);
  });

  it('ends a wait that is called off', async () => {
    const controller = new AbortController();
    const waiting = emulator.ledger.waitFor(1, {}, controller.signal);
    controller.abort(new Error('called off'));
    await expect(waiting).rejects.toThrow('called off');
    await expect(emulator.ledger.waitFor(1, {}, controller.signal)).rejects.toThrow('called off');
  });

  it('leaves nothing behind at a signal that outlives the wait', async () => {
    const { signal } = new AbortController();
    const ledger = createLedger();
    const waiting = ledger.waitFor(1, {}, signal);
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    ledger.open(arrival);
    await waiting;
    await ledger.waitFor(1, {}, signal);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });
});
