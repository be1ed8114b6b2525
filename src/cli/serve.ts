import type { Command } from 'commander';
import { ConfigurationError } from '../errors.ts';
import { checkOptions, readSettings } from '../settings.ts';
import { readPrivateFile } from '../system/files.ts';
import { homePaths } from '../system/home.ts';
import { systemRandom } from '../system/random.ts';
import type { Daemon } from '../daemon/daemon.ts';
import { exitCodeOf } from './exit-codes.ts';
import { readKeySource } from './input/key-source.ts';
import { untilAborted } from './interruption.ts';
import { placer } from './output/settings-place.ts';
import { endServing } from './serve/end.ts';
import { tellManager } from './serve/manager.ts';
import { reloader, type ServeSettings } from './serve/reload.ts';
import type { Session } from './session.ts';

interface ServeOptions {
  readonly socket?: string;
  readonly listen?: string;
  readonly log?: string;
  readonly create?: boolean;
}

/** Adds `evergrant serve`. */
export function addServeCommand(program: Command, session: Session): void {
  program
    .command('serve')
    .summary('keep everything fresh, and answer programs of any language')
    .description(
      'Renews in the background and serves tokens over HTTP on a Unix socket, until SIGTERM or SIGINT; SIGHUP reads the settings again. ' +
        'Options are those of settings.json, under daemon, and win over it. Several may run on one home, each with its socket.',
    )
    .option(
      '--socket <path>',
      'absolute path of the socket (default: run/evergrant.sock in the home)',
    )
    .option('--listen <address>', 'TCP besides, such as 127.0.0.1:7343; takes keys, see key-for')
    .option('--log <form>', 'text, json or journal (default: text)')
    .option('--create', 'make the home if there is none')
    .addHelpText(
      'after',
      '\nExample:\n  evergrant serve &\n  curl --unix-socket ~/.local/share/evergrant/run/evergrant.sock http://localhost/v1/connections',
    )
    .action((options: ServeOptions) => serve(session, options));
}

async function serve(session: Session, options: ServeOptions): Promise<void> {
  const paths = homePaths(session.globals.home, session.environment);
  refuseLeaks(session);
  const given = await checkOptions(ofSettings(options));
  const read = async (): Promise<ServeSettings> => {
    const found = await readSettings(paths.settingsFile);
    return { ...found, daemon: { ...found.daemon, ...given } };
  };
  const inForce = await read();
  const settings = inForce.daemon;
  const [{ startDaemon }, { lineLog }, { undiciStreaming }] = await Promise.all([
    import('../daemon/daemon.ts'),
    import('../daemon/log.ts'),
    import('../system/undici-streaming.ts'),
  ]);
  const log = lineLog(settings.log ?? 'text', session.clock, (line) => {
    session.stderr.write(`${line}\n`);
  });
  const create = options.create === true;
  const key = await readKeySource(session, create);
  const { keeper, store, api } = await session.openHome({
    home: session.globals.home,
    key,
    create,
    log,
  });
  let daemon: Daemon;
  try {
    const { clock } = session;
    const { socket } = paths;
    const { environment } = session;
    const parts = { keeper, store, api, settings, socket, clock, log, environment };
    const streaming = undiciStreaming();
    const { requestsPerSecond } = inForce;
    daemon = await startDaemon({ ...parts, streaming, random: systemRandom, requestsPerSecond });
  } catch (error) {
    await keeper.close();
    throw await placed(error, paths.settingsFile, given);
  }
  const reload = reloader({ daemon, read, inForce, log, signal: session.signal });
  session.onHangUp(() => void reload());
  log.info('serving', { socket: daemon.socket, address: daemon.address });
  await tellManager(session, log, 'ready');
  await untilAborted(session.signal);
  log.info('ending');
  session.exitCode = await endServing({
    ...{ daemon, keeper, clock: session.clock, log },
    tellManager: () => tellManager(session, log, 'stopping'),
    lateCode: exitCodeOf(session.signal.reason),
  });
}

/** Says of an option that the daemon cannot begin with where it was given: at the command line, or in which line of the settings. */
async function placed(error: unknown, file: string, given: object): Promise<unknown> {
  if (!(error instanceof ConfigurationError)) return error;
  const [, name] = /^daemon\.([A-Za-z]+) /.exec(error.message) ?? [];
  if (name === undefined) return error;
  if (name in given)
    return new ConfigurationError(error.code, error.message.replace('daemon.', '--'));
  const text = Buffer.from((await readPrivateFile(file)) ?? []).toString('utf8');
  return new ConfigurationError(error.code, placer(file, text)(error.message));
}

function ofSettings({ socket, listen, log }: ServeOptions): Parameters<typeof checkOptions>[0] {
  return {
    ...(socket !== undefined && { socket }),
    ...(listen !== undefined && { listen }),
    ...(log !== undefined && { log }),
  };
}

/** Node would print tokens, or trust anybody; for a process that lives long that is no warning any more. */
function refuseLeaks({ environment }: Session): void {
  const debug = /\b(?:http|https|net|tls|undici|fetch)\b/.exec(environment['NODE_DEBUG'] ?? '');
  if (debug !== null) throw refused('NODE_DEBUG', 'prints tokens');
  if (environment['NODE_TLS_REJECT_UNAUTHORIZED'] === '0')
    throw refused('NODE_TLS_REJECT_UNAUTHORIZED=0', 'lets anybody pose as the server');
}

function refused(what: string, why: string): ConfigurationError {
  return new ConfigurationError('ERR_CONFIGURATION', `${what} ${why}; unset it and start again`);
}
