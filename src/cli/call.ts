import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Command } from 'commander';
import { apiError } from '../daemon/proxy/failure.ts';
import { failureOf } from '../system/undici-streaming.ts';
import { exitCodeOfStatus } from './exit-codes.ts';
import { readCall, type CallOptions } from './input/call.ts';
import { repeated } from './input/repeated.ts';
import { print, tell, type Session } from './session.ts';
import { UsageError } from './usage-error.ts';
import { withHome } from './with-home.ts';

interface CommandOptions extends CallOptions {
  readonly include?: boolean;
}

/** Words that nobody means for the last part of an address. */
const METHODS: readonly string[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

/** Adds `evergrant call`. */
export function addCallCommand(program: Command, session: Session): void {
  program
    .command('call')
    .summary('call the API with the token')
    .description(
      "Calls the provider's API with the token and the headers it needs, and prints the body of the answer. Only the provider's own origins are called. " +
        'An answer of 400 or more exits with 7 where waiting helps (429, 5xx), else with 5.',
    )
    .argument('<name>', 'connection')
    .argument('<method-or-url>', 'method, by default GET or with data POST; then the URL')
    .argument('[url]', "absolute, or relative to the API's base")
    .option(
      '-H, --header <line>',
      'further header, e.g. "accept: application/json"; may be repeated',
      repeated,
    )
    .option('-d, --data <text>', 'body; @FILE reads a file, @- standard input')
    .option('-i, --include', 'print the status and the headers of the answer before its body')
    .addHelpText('after', '\nExample:\n  evergrant call perspio https://talk.perspio.io/assets/v3/')
    .action((name: string, first: string, second: string | undefined, options: CommandOptions) =>
      call(session, name, second === undefined ? [undefined, first] : [first, second], options),
    );
}

async function call(
  session: Session,
  name: string,
  [method, url]: readonly [string | undefined, string],
  options: CommandOptions,
): Promise<void> {
  if (method !== undefined && !/^[A-Za-z]+$/.test(method)) {
    throw new UsageError('call takes the name, a method such as GET, and the URL, in this order');
  }
  if (method === undefined && METHODS.includes(url))
    throw new UsageError(`call ${url} names no URL; it comes after the method`);
  const init = { ...(await readCall(session, method, options)), signal: session.signal };
  await withHome(session, async ({ keeper, api }) => {
    try {
      const answer = await keeper.connection(name).fetch(url, init);
      if (options.include === true) printHead(session, answer);
      await printBody(session, answer);
      session.exitCode = exitCodeOfStatus(answer.status);
      if (session.exitCode !== 0) tell(session, `evergrant: the API answered ${statusOf(answer)}`);
    } catch (error) {
      if (!isNetworkFault(error)) throw error;
      const { origin } = new URL(url, (await api(name)).api?.base);
      throw apiError(failureOf(error.cause), origin);
    }
  });
}

/** `fetch` and the bodies of its answers wrap what the system or its library says. */
function isNetworkFault(error: unknown): error is TypeError {
  return error instanceof TypeError && error.cause instanceof Error;
}

function printHead(session: Session, answer: Response): void {
  print(session, `HTTP ${statusOf(answer)}`);
  for (const [name, value] of answer.headers) print(session, `${name}: ${value}`);
  print(session, '');
}

/** When stdout fails, whoever watches it tells; the body is no longer wanted then. */
async function printBody({ stdout }: Session, answer: Response): Promise<void> {
  if (answer.body === null) return;
  try {
    await pipeline(Readable.fromWeb(answer.body), stdout, { end: false });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall !== 'write') throw error;
  }
}

function statusOf({ status, statusText }: Response): string {
  return `${String(status)} ${statusText}`.trim();
}
