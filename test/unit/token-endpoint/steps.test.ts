import { expect, it, vi } from 'vitest';
import { nodeHttp } from '../../../src/system/node-http.ts';
import { exchange, requestDeviceAuthorization } from '../../../src/token-endpoint/exchange.ts';
import { httpAnswer, rawServer } from '../../support/raw-server.ts';

const passed = vi.hoisted((): string[] => []);
vi.mock('#failpoints', () => ({
  failpoint: (name: string) => passed.push(name),
  sabotaged: () => false,
}));

const options = {
  fresh: true,
  connectTimeoutMs: 9000,
  timeoutMs: 9000,
  insecureLoopback: true,
  dialect: {},
  now: () => 0,
};
const client = { clientId: 'c', authentication: { method: 'none' }, parameters: {} } as const;

it('an exchange passes its failpoints in order', async () => {
  passed.length = 0;
  await using server = await rawServer((socket) => {
    passed.push('the server has the request');
    socket.write(httpAnswer(200, { access_token: 'at', token_type: 'Bearer' }));
  });
  await exchange(nodeHttp(), { ...client, tokenEndpoint: server.url }, options);
  expect(passed).toEqual([
    'before-connect',
    'after-connect',
    'after-send',
    'the server has the request',
    'full-answer',
  ]);
});

it('a failed connection passes the first one alone', async () => {
  passed.length = 0;
  const request = { ...client, tokenEndpoint: 'http://127.0.0.1:1/' };
  expect(await exchange(nodeHttp(), request, options)).toMatchObject({ kind: 'not_sent' });
  expect(passed).toEqual(['before-connect']);
});

it('a device authorization endpoint is asked in the same way', async () => {
  const codes = { device_code: 'd', user_code: 'u', verification_uri: 'https://as.example/device' };
  await using server = await rawServer((socket) => socket.write(httpAnswer(200, codes)));
  const request = { ...client, tokenEndpoint: server.url, parameters: { scope: 'a' } };
  const device = await requestDeviceAuthorization(nodeHttp(), request, options);
  expect(device).toMatchObject({ kind: 'device_authorization', userCode: 'u' });
  expect(server.received[0]).toMatch(/\r\n\r\nclient_id=c&scope=a$/);
});
