import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { ConfigurationError } from '../errors.ts';
import { isLoopback } from '../loopback.ts';
import type { DaemonSettings } from '../settings.ts';
import { errnoOf } from '../system/file-errors.ts';
import { readPrivateFile, readSystemFile } from '../system/files.ts';
import type { TlsMaterial } from './http/listener.ts';
import type { TcpAddress } from './tcp.ts';

/**
 * Reads certificate and key; undefined where none are named.
 *
 * @throws {@link ConfigurationError} `ERR_CONFIGURATION` when one is missing, none in PEM, or does not fit the other, or TLS is missing but must not be; {@link StoreError}
 *   `ERR_STORE_UNSAFE` when others can read the key.
 */
export async function readTls(
  settings: DaemonSettings,
  { host }: TcpAddress,
): Promise<TlsMaterial | undefined> {
  const material = await readMaterial(settings);
  if (material !== undefined || isLoopback(host)) return material;
  throw wrong(
    `daemon.listen ${host} can be reached by others, so TLS is needed; give daemon.tlsCertificateFile and daemon.tlsKeyFile, or listen on 127.0.0.1`,
  );
}

/** As {@link readTls}, wherever it is to listen. */
export async function readMaterial(settings: DaemonSettings): Promise<TlsMaterial | undefined> {
  const { tlsCertificateFile: certFile, tlsKeyFile: keyFile } = settings;
  if (certFile === undefined && keyFile === undefined) return undefined;
  if (certFile === undefined || keyFile === undefined)
    throw wrong('daemon.tlsCertificateFile and daemon.tlsKeyFile go together; give both');
  const [cert, key] = [await readSystemFile(certFile), await readPrivateFile(keyFile)];
  if (cert === undefined) throw wrong(`daemon.tlsCertificateFile ${certFile} cannot be read`);
  if (key === undefined) throw wrong(`daemon.tlsKeyFile ${keyFile} is not there`);
  const material = { cert: Buffer.from(cert), key: Buffer.from(key) };
  checkFit(material, certFile, keyFile);
  return material;
}

/** Node would say so when it listens, as a fault that names nothing. */
function checkFit(
  { cert, key }: { readonly cert: Buffer; readonly key: Buffer },
  certFile: string,
  keyFile: string,
): void {
  const fault = (options: SecureContextOptions): string | undefined => {
    try {
      createSecureContext(options);
      return undefined;
    } catch (error) {
      return errnoOf(error) ?? 'unknown error';
    }
  };
  const ofCert = fault({ cert });
  if (ofCert !== undefined)
    throw wrong(
      `daemon.tlsCertificateFile ${certFile} holds no certificate in PEM that can be used (${ofCert})`,
    );
  const ofKey = fault({ key });
  if (ofKey !== undefined)
    throw wrong(
      `daemon.tlsKeyFile ${keyFile} holds no key in PEM that can be used, without a passphrase (${ofKey})`,
    );
  if (fault({ cert, key }) !== undefined)
    throw wrong(
      `daemon.tlsKeyFile ${keyFile} is not the key of daemon.tlsCertificateFile ${certFile}, whose first certificate must be the server's`,
    );
}

function wrong(message: string): ConfigurationError {
  return new ConfigurationError('ERR_CONFIGURATION', message);
}
