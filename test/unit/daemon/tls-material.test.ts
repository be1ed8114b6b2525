import { createPrivateKey } from 'node:crypto';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readTls } from '../../../src/daemon/tls-material.ts';
import type { TlsIdentity } from '../../../src/emulator/http/listener.ts';
import { createThrowAwayAuthority } from '../../../src/emulator/tls.ts';
import { ConfigurationError } from '../../../src/errors.ts';
import { systemRandom } from '../../../src/system/random.ts';

describe('an address that others reach', () => {
  it.each(['0.0.0.0', '192.0.2.1', '[::]', '128.0.0.1'])('such as %s takes TLS', async (host) => {
    await expect(readTls({}, { host, port: 0 })).rejects.toMatchObject({
      code: 'ERR_CONFIGURATION',
      message: expect.stringContaining('TLS is needed'),
    });
  });
});

describe('certificate and key', () => {
  const at = { host: '0.0.0.0', port: 0 };
  let folder: string;
  let both: { readonly tlsCertificateFile: string; readonly tlsKeyFile: string };
  let identity: TlsIdentity;

  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'evergrant-tls-'));
    ({ identity } = await createThrowAwayAuthority(systemRandom));
    const [cert, key] = [path.join(folder, 'cert.pem'), path.join(folder, 'key.pem')];
    both = { tlsCertificateFile: cert, tlsKeyFile: key };
    await writeFile(cert, identity.cert);
    await writeFile(key, identity.key, { mode: 0o600 });
  });

  afterEach(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  it('are taken together, and a key only that others cannot read', async () => {
    const { tlsCertificateFile, tlsKeyFile } = both;
    await expect(readTls({ tlsCertificateFile }, at)).rejects.toThrow('go together');
    await chmod(tlsKeyFile, 0o644);
    await expect(readTls(both, at)).rejects.toMatchObject({ code: 'ERR_STORE_UNSAFE' });
    await chmod(tlsKeyFile, 0o600);
    const key = Buffer.from(identity.key);
    await expect(readTls(both, at)).resolves.toMatchObject({ key });
  });

  const another = async (): Promise<string> =>
    (await createThrowAwayAuthority(systemRandom)).identity.key;
  const encrypted = (): string => {
    const cipher = { cipher: 'aes-256-cbc', passphrase: 'secret' };
    return String(
      createPrivateKey(identity.key).export({ type: 'pkcs8', format: 'pem', ...cipher }),
    );
  };

  const wrong: readonly (readonly [string, keyof typeof both, () => string | Promise<string>])[] = [
    ['a certificate that is none', 'tlsCertificateFile', () => 'c'],
    ['a certificate that is empty', 'tlsCertificateFile', () => ''],
    ['the key in place of the certificate', 'tlsCertificateFile', () => identity.key],
    ['a key that is none', 'tlsKeyFile', () => 'k'],
    ['a key that is empty', 'tlsKeyFile', () => ''],
    ['a key behind a passphrase', 'tlsKeyFile', encrypted],
    ['a key of another certificate', 'tlsKeyFile', another],
  ];

  it.each(wrong)('are refused for %s, by the name of the option', async (_, option, content) => {
    const text = await content();
    await writeFile(both[option], text);
    const error = await readTls(both, at).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ConfigurationError);
    expect(error).toMatchObject({
      message: expect.stringContaining(`daemon.${option} ${both[option]}`),
    });
    expect(String(error)).not.toContain('PRIVATE');
  });
});
