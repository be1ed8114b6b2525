import type { Command } from 'commander';
import { KEYLESS } from '../daemon/access/caller.ts';
import type { Policy, Verb } from '../store/access-store.ts';
import { systemRandom } from '../system/random.ts';
import { parseDuration } from './input/duration.ts';
import { parseInstant } from './input/instant.ts';
import { repeated } from './input/repeated.ts';
import { relativeTime } from './output/relative-time.ts';
import { printTable } from './output/table.ts';
import { print, printJson, tell, type Session } from './session.ts';
import { UsageError } from './usage-error.ts';
import { withHome } from './with-home.ts';

interface KeyForOptions {
  readonly connection?: readonly string[];
  readonly verb?: readonly string[];
  readonly host?: readonly string[];
  readonly method?: readonly string[];
  readonly path?: readonly string[];
  readonly rate?: string;
  readonly expires?: string;
  readonly list?: boolean;
  readonly revoke?: boolean;
  readonly json?: boolean;
}

const VERBS: readonly Verb[] = ['token', 'proxy', 'read', 'manage'];

/** Adds `evergrant key-for`. */
export function addKeyForCommand(program: Command, session: Session): void {
  program
    .command('key-for')
    .summary('give a program a key to the daemon, see and revoke keys')
    .description(
      'Makes a key for a program that asks the daemon, and prints it once; the store keeps a digest. The key is good for what is named, and for nothing else. ' +
        'A daemon that runs knows it at once.',
    )
    .argument('[name]', 'whom the key is for, as the audit will name it')
    .option(
      '--connection <name>',
      'connection it is good for; * stands for any characters',
      repeated,
    )
    .option('--verb <verb>', 'token, proxy, read or manage', repeated)
    .option(
      '--host <host>',
      'for the proxy: host it may call (default: those of the connection)',
      repeated,
    )
    .option('--method <method>', 'for the proxy: method it may use (default: all)', repeated)
    .option(
      '--path <path>',
      'for the proxy: path it may call; * stands for any characters',
      repeated,
    )
    .option('--rate <rate>', 'most requests in a time, such as 60/1m (default: no limit)')
    .option('--expires <when>', 'when it ends: 2027-01-31, or in 90d (default: when it is revoked)')
    .option('--list', 'list the keys instead')
    .option('--revoke', 'revoke the key of that name instead')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  evergrant key-for reporting --connection perspio --verb token --expires 90d > reporting.key\n' +
        '  evergrant key-for --list\n  evergrant key-for reporting --revoke',
    )
    .action((name: string | undefined, options: KeyForOptions) => keyFor(session, name, options));
}

async function keyFor(
  session: Session,
  name: string | undefined,
  options: KeyForOptions,
): Promise<void> {
  if (options.list === true && options.revoke === true)
    throw new UsageError('--list and --revoke do not go together');
  if (options.list === true) {
    if (name !== undefined) throw new UsageError('--list takes no name');
    return list(session, options.json === true);
  }
  if (name === undefined) throw new UsageError('key-for takes the name of whom the key is for');
  return options.revoke === true ? revoke(session, name) : make(session, name, options);
}

async function make(session: Session, name: string, options: KeyForOptions): Promise<void> {
  checkHolder(name);
  const policy = policyOf(options);
  const now = session.clock.now();
  const { expires } = options;
  const expiresAt = expires === undefined ? undefined : parseInstant(expires, '--expires', now);
  const { createKey } = await import('../daemon/access/key.ts');
  const { secret, key } = createKey(systemRandom, { name, policy, now, expiresAt });
  await withHome(session, ({ store }) => store.access.addKey(key));
  if (options.json === true) printJson(session, { key: secret.reveal(), name, policy, expiresAt });
  else print(session, secret.reveal());
  tell(session, `this key is shown once; evergrant key-for ${name} --revoke ends it`);
}

function checkHolder(name: string): void {
  if (!/^[\p{L}\p{N}][\p{L}\p{N}._@:+-]{0,63}$/u.test(name))
    throw new UsageError('a name has 1 to 64 letters, digits and . _ @ : + -');
  if (KEYLESS.some((one) => one === name))
    throw new UsageError(`the audit calls others ${name}; choose another name`);
}

function policyOf({ connection, verb, host, method, path, rate }: KeyForOptions): Policy {
  if (connection === undefined) throw new UsageError("--connection is missing; '*' names all");
  if (verb === undefined) throw new UsageError(`--verb is missing; there are ${VERBS.join(', ')}`);
  const verbs = verb.map((one) => VERBS.find((known) => known === one) ?? unknownVerb(one));
  const given = [...connection, ...(host ?? []), ...(method ?? []), ...(path ?? [])];
  if (given.includes(''))
    throw new UsageError('a value is empty; leave the option out, or name something');
  if (!verbs.includes('proxy') && (host ?? method ?? path) !== undefined)
    throw new UsageError('--host, --method and --path are for --verb proxy');
  checkCalls(host ?? [], method ?? [], path ?? []);
  return {
    connections: connection,
    verbs,
    ...(host !== undefined && { hosts: host }),
    ...(method !== undefined && { methods: method }),
    ...(path !== undefined && { paths: path }),
    ...(rate !== undefined && { rate: rateOf(rate) }),
  };
}

/** What would match no call at all is a slip. */
function checkCalls(
  hosts: readonly string[],
  methods: readonly string[],
  paths: readonly string[],
): void {
  if (!hosts.every((one) => /^(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i.test(one)))
    throw new UsageError('--host takes a host, such as talk.perspio.io, and perhaps a port');
  if (!methods.every((one) => /^[a-z]+$/i.test(one)))
    throw new UsageError('--method takes a method, such as GET');
  if (!paths.every((one) => /^[/*]/.test(one)))
    throw new UsageError("--path takes a path that begins with /, such as '/assets/*'");
}

function unknownVerb(verb: string): never {
  throw new UsageError(`--verb ${verb} is not known; there are ${VERBS.join(', ')}`);
}

function rateOf(text: string): NonNullable<Policy['rate']> {
  const [, requests, per = ''] = /^([1-9]\d{0,8})\/(.+)$/.exec(text) ?? [];
  if (requests === undefined)
    throw new UsageError('--rate takes requests and a time, such as 60/1m');
  const perMs = parseDuration(per, '--rate');
  if (perMs === 0) throw new UsageError('--rate takes a time above 0');
  return { requests: Number(requests), perMs };
}

async function revoke(session: Session, name: string): Promise<void> {
  const now = session.clock.now();
  const count = await withHome(session, ({ store }) => store.access.revokeKeys(name, now));
  if (count === 0)
    throw new UsageError(`there is no key for ${name}; evergrant key-for --list shows all`);
  tell(session, `${name}: revoked, from the next request on`);
}

async function list(session: Session, json: boolean): Promise<void> {
  const keys = await withHome(session, ({ store }) => store.access.keys());
  if (json)
    return printJson(
      session,
      keys.map(({ digest: _digest, ...rest }) => rest),
    );
  if (keys.length === 0) return tell(session, 'no keys yet; evergrant key-for NAME makes one');
  const now = session.clock.now();
  const rows = keys.map(({ name, policy, createdAt, expiresAt, revokedAt }) => ({
    name,
    connections: policy.connections.join(' '),
    verbs: policy.verbs.join(' '),
    made: relativeTime(createdAt, now),
    ends:
      revokedAt === undefined
        ? relativeTime(expiresAt, now)
        : `revoked ${relativeTime(revokedAt, now)}`,
  }));
  await printTable(session, rows, (row) =>
    /revoked|ago/.test(row['ends'] ?? '') ? 'yellow' : undefined,
  );
}
