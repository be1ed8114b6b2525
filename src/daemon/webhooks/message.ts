import { createHmac } from 'node:crypto';
import type { Secret } from '../../secret.ts';
import type { Letter } from '../../store/webhook-store.ts';
import { isoInstant } from '../../system/instant.ts';
import { VERSION } from '../../system/version.ts';
import { toJson } from '../http/answer.ts';

/*
 * A letter as a request. @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */

/** What is sent. */
export interface Message {
  /** Names and values in turns. */
  readonly headers: string[];
  /** JSON. */
  readonly body: Buffer;
}

/** Writes and signs a letter. @param now - the instant of the attempt, which is signed with it. */
export function writeMessage(letter: Letter, secrets: readonly Secret[], now: number): Message {
  const { event: type, connectionId: _, ...data } = letter.event;
  const { at } = data;
  const body = Buffer.from(toJson({ type, timestamp: isoInstant(at), data }));
  const timestamp = String(Math.floor(now / 1_000));
  const signed = Buffer.concat([Buffer.from(`${letter.id}.${timestamp}.`), body]);
  const headers = {
    'content-type': 'application/json',
    'content-length': String(body.length),
    'user-agent': `evergrant/${VERSION}`,
    'webhook-id': letter.id,
    'webhook-timestamp': timestamp,
    'webhook-signature': secrets.map((secret) => signatureOf(signed, secret)).join(' '),
  };
  return { headers: Object.entries(headers).flat(), body };
}

function signatureOf(signed: Buffer, secret: Secret): string {
  const key = Buffer.from(secret.reveal().replace(/^whsec_/, ''), 'base64');
  return `v1,${createHmac('sha256', key).update(signed).digest('base64')}`;
}
