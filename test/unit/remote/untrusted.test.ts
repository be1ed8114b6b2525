import { expect, it } from 'vitest';
import { failureOf } from '../../../src/remote/failure.ts';
import { Secret } from '../../../src/secret.ts';
import { fakeClock } from '../../support/fake-clock.ts';

const way = {
  address: { url: new URL('https://daemon.example:7343'), key: new Secret('k'), ca: undefined },
  clock: fakeClock(),
  closed: new AbortController().signal,
};

it.each([
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'give that of its authority as ca'],
  ['SELF_SIGNED_CERT_IN_CHAIN', 'give that of its authority as ca'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'give that of its authority as ca'],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'give that of its authority as ca'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'ask by a name that stands in it'],
  ['HOSTNAME_MISMATCH', 'ask by a name that stands in it'],
  ['CERT_HAS_EXPIRED', 'renew it there, or set the clock here'],
  ['CERT_NOT_YET_VALID', 'renew it there, or set the clock here'],
  ['CERT_REVOKED', 'give the daemon another'],
])('a daemon whose certificate is refused with %s is told with what helps', (code, remedy) => {
  expect(failureOf(Object.assign(new Error('no'), { code }), way, undefined)).toMatchObject({
    code: 'ERR_DAEMON_UNREACHABLE',
    message: `the certificate of the daemon at https://daemon.example:7343 is not believed (${code}); ${remedy}`,
  });
});
