import { describe, expect, it } from 'vitest';
import { failureOf } from '../../../src/system/undici-streaming.ts';

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
  ])('with the code %s is %s: nothing was sent only where that is sure', (code, failure) => {
    expect(failureOf(Object.assign(new Error('it'), { code }))).toMatchObject({ failure });
  });
});
