import { UsageError } from '../usage-error.ts';
import { SECRET_NAMES, waysOf } from './secrets.ts';

/**
 * Refuses a secret on the command line, where every user of the machine can read it and shells remember it.
 *
 * @throws {@link UsageError} naming the right ways; the value is not repeated.
 */
export function refuseSecretArguments(argv: readonly string[]): void {
  const end = argv.indexOf('--');
  const ours = end === -1 ? argv : argv.slice(0, end);
  const name = SECRET_NAMES.find((secret) =>
    ours.some((argument) => argument === `--${secret}` || argument.startsWith(`--${secret}=`)),
  );
  if (name === undefined) return;
  throw new UsageError(
    `--${name} does not take a secret, since other users can read arguments; use ${waysOf(name)}, or leave it out to be asked`,
  );
}
