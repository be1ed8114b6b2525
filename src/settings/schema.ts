import type * as zod from 'zod';
import { isLoopback } from '../loopback.ts';
import { EVENT_KINDS } from './event-kinds.ts';

/*
 * The shape of a settings file. A message continues the name of its option: "lastTry must be true or false". The library comes as an argument,
 * because most processes have no settings to judge, and loading it takes long.
 */

/** The library. */
export type Zod = typeof zod;

/** An address to listen on: host and port, the host being an address in digits or `localhost`. */
const ADDRESS = /^(?:localhost|\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-fA-F:.]+\]):(?:0|[1-9]\d{0,4})$/;

/** As a browser writes it into the Host field. */
const HOST =
  /^(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*|\[[0-9a-f:.]+\])(?::[1-9]\d{0,4})?$/;

/** A receiver of webhooks. */
function webhookSchema(z: Zod) {
  const text = z.string('must be a string').min(1, 'must not be empty');
  return z.strictObject({
    name: text.regex(
      /^[a-z0-9][a-z0-9-]{0,39}$/,
      'must be small letters, digits and dashes, 40 at most',
    ),
    url: text.refine(
      isReceiver,
      'must be an https address, or an http one of this machine, without user name and fragment',
    ),
    secretFile: text.refine((path) => path.startsWith('/'), 'must be an absolute path').optional(),
    secretVariable: text
      .regex(/^[A-Za-z_]\w*$/, 'must be the name of a variable of the environment')
      .optional(),
    events: z
      .array(
        z.enum(EVENT_KINDS, `must be kinds of events: ${EVENT_KINDS.join(', ')}`),
        'must be a list',
      )
      .nonempty('must name a kind of event')
      .optional(),
  });
}

/** Whoever can listen on the way could read the events, and answer in the receiver's place. */
function isReceiver(address: string): boolean {
  const url = URL.parse(address);
  if (url === null || address.includes('#')) return false;
  if (url.username !== '' || url.password !== '') return false;
  return isPrivateWay(url);
}

/** Whether a person can be sent there without anybody listening in, and with nothing but a name and a port to it. */
function isPublicOrigin(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || (text !== url.origin && text !== `${url.origin}/`)) return false;
  return isPrivateWay(url);
}

/** By https, or without leaving this machine. */
function isPrivateWay({ protocol, hostname }: URL): boolean {
  return protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname));
}

/** What the daemon takes. */
function daemonSchema(z: Zod) {
  const text = z.string('must be a string').min(1, 'must not be empty');
  const absolute = text.refine((path) => path.startsWith('/'), 'must be an absolute path');
  return z.strictObject({
    socket: absolute
      .refine((path) => Buffer.byteLength(path) <= 100, 'must have at most 100 bytes')
      .optional(),
    listen: text.regex(ADDRESS, 'must be an address and a port, such as 127.0.0.1:7343').optional(),
    tlsCertificateFile: absolute.optional(),
    tlsKeyFile: absolute.optional(),
    hosts: z
      .array(
        text.regex(HOST, 'must be hosts as browsers name them, such as evergrant.example.com:8443'),
        'must be a list',
      )
      .optional(),
    publicUrl: text
      .refine(
        isPublicOrigin,
        'must be https:// and a name, such as https://evergrant.example.com, without a path; http:// is for this machine alone',
      )
      .optional(),
    log: z.enum(['text', 'json', 'journal'], 'must be text, json or journal').optional(),
    auditRows: z
      .int('must be a whole number')
      .min(1_000, 'must be 1000 or more')
      .max(10_000_000, 'must be 10000000 or less')
      .optional(),
    callsPerKey: z
      .int('must be a whole number')
      .min(1, 'must be 1 or more')
      .max(4_096, 'must be 4096 or less')
      .optional(),
    webhooks: z
      .array(
        webhookSchema(z).refine(
          ({ secretFile, secretVariable }) =>
            (secretFile === undefined) !== (secretVariable === undefined),
          'must have secretFile or secretVariable, and not both',
        ),
        'must be a list',
      )
      .refine(
        (hooks) => new Set(hooks.map(({ name }) => name)).size === hooks.length,
        'must each have a name of their own',
      )
      .optional(),
  });
}

/** What a settings file may hold. */
export function settingsSchema(z: Zod) {
  return z.strictObject({
    notifyCommand: z
      .array(
        z.string('must be strings').min(1, 'must not be empty'),
        'must be a list: the program and its arguments',
      )
      .nonempty('must name a program')
      .optional(),
    lastTry: z.boolean('must be true or false').optional(),
    requestsPerSecond: z
      .number('must be a number')
      .min(0.1, 'must be 0.1 or more')
      .max(10_000, 'must be 10000 or less')
      .optional(),
    daemon: daemonSchema(z).optional(),
  });
}

/** Names of the options that may stand where `path` leads to. */
export function knownOptions(z: Zod, path: readonly PropertyKey[]): readonly string[] {
  if (path[0] !== 'daemon') return Object.keys(settingsSchema(z).shape);
  return Object.keys(path[1] === 'webhooks' ? webhookSchema(z).shape : daemonSchema(z).shape);
}
