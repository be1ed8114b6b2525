import { describe, expect, it } from 'vitest';
import { startApi } from '../../../support/api-server.ts';
import { fakeClock } from '../../../support/fake-clock.ts';
import { startFront } from '../../../support/proxy-front.ts';

const api = (status: number, retryAfter: string | undefined) =>
  startApi((incoming, response) => {
    incoming.resume();
    if (incoming.url !== '/busy') return void response.end('fine');
    response.writeHead(status, retryAfter === undefined ? {} : { 'retry-after': retryAfter });
    response.end('the API itself');
  });

describe('an API that asks to wait', () => {
  it.each([
    ['429', 429, '41', 41],
    ['429 without saying how long', 429, undefined, 60],
    ['503', 503, '5', 5],
    ['403, when its quota is used up', 403, '80', 80],
    ['429, longer than any window that it documents', 429, '100000', 90],
  ])('by %s is heard, and left alone until then', async (_what, status, retryAfter, seconds) => {
    const clock = fakeClock();
    await using server = await api(status, retryAfter);
    await using front = await startFront({ origins: [server.origin], isLimited: true, clock });
    const first = await fetch(`${front.url}/busy`);
    expect([first.status, await first.text()]).toEqual([status, 'the API itself']);
    expect(first.headers.get('retry-after')).toBe(retryAfter ?? null);

    await clock.advance(1_000);
    const second = await fetch(`${front.url}/other`);
    expect(second.headers.get('retry-after')).toBe(String(seconds - 1));
    expect(second.headers.get('content-type')).toBe('application/problem+json');
    expect(await second.json()).toMatchObject({ code: 'ERR_API_THROTTLED', connection: 'it' });
    expect(server.seen).toHaveLength(1);

    await clock.advance((seconds - 1) * 1_000);
    expect(await (await fetch(`${front.url}/other`)).text()).toBe('fine');
    expect(server.seen).toHaveLength(2);
  });

  it('is asked again where it documents no limits that count all calls together', async () => {
    await using server = await api(429, '41');
    await using front = await startFront({ origins: [server.origin], clock: fakeClock() });
    await fetch(`${front.url}/busy`);
    expect((await fetch(`${front.url}/other`)).status).toBe(200);
    expect(front.findings).toMatchObject([{ kind: 'throttled' }]);
  });

  it('is asked again when the clock was set back', async () => {
    const clock = fakeClock();
    await using server = await api(429, '41');
    await using front = await startFront({ origins: [server.origin], isLimited: true, clock });
    await fetch(`${front.url}/busy`);
    clock.setWall(clock.now() - 3_600_000);
    expect((await fetch(`${front.url}/other`)).status).toBe(200);
  });
});
