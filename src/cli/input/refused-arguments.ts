import { UsageError } from '../usage-error.ts';
import { SECRET_NAMES, waysOf } from './secrets.ts';

/**
 * Refuses a secret on the command line, where every user of the machine can read it and shells remember it.
 *
 * @throws {@link UsageError} naming the right ways; the value is not repeated. Also for an option that begins with another dash.
 */
export function refuseSecretArguments(argv: readonly string[]): void {
  const end = argv.indexOf('--');
  const ours = end === -1 ? argv : argv.slice(0, end);
  // Text processors make them of hyphens; what follows is then no option, and would be repeated as a name that nobody knows.
  if (ours.some((argument) => /^[\u2010-\u2015\u2212]/.test(argument)))
    throw new UsageError('an argument begins with a dash that is no hyphen; write - or --');
  const name = SECRET_NAMES.find((secret) => {
    const typed = new RegExp(`^--${secret}(?:[=\\s]|$)`);
    return ours.some((argument) => typed.test(argument));
  });
  if (name === undefined) return;
  throw new UsageError(
    `--${name} does not take a secret, since other users can read arguments; use ${waysOf(name)}, or leave it out to be asked`,
  );
}
