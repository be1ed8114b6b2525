import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer, type TlsOptions } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { createThrowAwayAuthority } from '../../../src/emulator/tls.ts';
import { systemRandom } from '../../../src/system/random.ts';

import { apiError } from '../../../src/daemon/proxy/failure.ts';
import { failureOf, undiciStreaming } from '../../../src/system/undici-streaming.ts';

describe('a fault on the way', () => {
  it.each([
    ['ECONNREFUSED', 'unreachable'],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'unreachable'],
    ['CERT_HAS_EXPIRED', 'unreachable'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'unreachable'],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'unreachable'],
    ['ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION', 'unreachable'],
    ['ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE', 'unreachable'],
    // From here on something may have been sent.
    ['ERR_SSL_SSL/TLS_ALERT_BAD_RECORD_MAC', 'broken'],
    ['ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC', 'broken'],
    ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', 'broken'],
    ['ECONNRESET', 'broken'],
    ['E_OF_TOMORROW', 'broken'],
    ['UND_ERR_HEADERS_TIMEOUT', 'timeout'],
    ['HPE_INVALID_CHUNK_SIZE', 'invalid'],
    ['UND_ERR_INVALID_ARG', 'unsendable'],
    ['UND_ERR_NOT_SUPPORTED', 'unsendable'],
  ])('with the code %s is %s: nothing was sent only where that is sure', (code, failure) => {
    expect(failureOf(Object.assign(new Error('it'), { code }))).toMatchObject({ failure });
  });
});

it('a request that cannot be sent is no fault of the other side', async () => {
  const streaming = undiciStreaming({ isPrivateAllowed: true });
  const asked = { origin: 'http://127.0.0.1:9', path: '/', method: 'GET' };
  const rest = { headers: ['x y', 'hidden'], body: undefined, signal: undefined };
  const failed = streaming.request({ ...asked, ...rest });
  await expect(failed).rejects.toMatchObject({ failure: 'unsendable' });
  const told = apiError(await failed.catch((error: unknown) => error), asked.origin);
  expect(told).toMatchObject({
    code: 'ERR_ARGUMENT',
    message:
      'the request cannot be sent to http://127.0.0.1:9 as it is (UND_ERR_INVALID_ARG); nothing was sent',
  });
  await streaming.close();
});

it.each<[string, TlsOptions, string]>([
  // A cipher for keys of another kind.
  ['before it has the request', { ciphers: 'ECDHE-RSA-AES128-GCM-SHA256' }, 'unreachable'],
  ['once it has the request', {}, 'broken'],
])('a server whose handshake fails %s is told as what that means', async (_, ciphers, failure) => {
  const { caCertificate, identity } = await createThrowAwayAuthority(systemRandom);
  const isFirst = failure === 'unreachable';
  const options = { ...identity, maxVersion: 'TLSv1.2', ...ciphers } as const;
  let hasRequest = false;
  const server = createServer(options, (socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => {
      hasRequest = true;
      socket.renegotiate({ requestCert: true, rejectUnauthorized: true }, () => undefined);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const streaming = undiciStreaming({ ca: [caCertificate], isPrivateAllowed: true });
  const asked = { origin: `https://127.0.0.1:${String(port)}`, path: '/', method: 'GET' };
  const rest = { headers: [], body: undefined, signal: undefined };
  await expect(streaming.request({ ...asked, ...rest })).rejects.toMatchObject({ failure });
  expect(hasRequest).toBe(!isFirst);
  await streaming.close();
  server.close();
});
