import { json, type Answer } from '../http/answer.ts';
import type { Exchange } from '../http/exchange.ts';
import { issuerOf } from '../server.ts';

/** The directory's public keys. @see RFC 7517 */
export async function keys({ server }: Exchange): Promise<Answer> {
  const key = await server.signer.publicKey();
  return json(
    200,
    { keys: [{ ...key, issuer: issuerOf(server) }] },
    { 'Cache-Control': 'max-age=86400, private' },
  );
}
