import type { Command } from 'commander';
import { KEYLESS } from '../daemon/access/caller.ts';
import { systemRandom } from '../system/random.ts';
import { parseInstant } from './input/instant.ts';
import { readPolicy, type PolicyOptions } from './input/policy.ts';
import { repeated } from './input/repeated.ts';
import { relativeTime } from './output/relative-time.ts';
import { printTable } from './output/table.ts';
import { print, printJson, tell, type Session } from './session.ts';
import { UsageError } from './usage-error.ts';
import { withHome } from './with-home.ts';

interface KeyForOptions extends PolicyOptions {
  readonly expires?: string;
  readonly list?: boolean;
  readonly revoke?: boolean;
  readonly json?: boolean;
}

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
  const policy = readPolicy(options);
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
