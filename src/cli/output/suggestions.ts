import { AuthorizationRequiredError, ConfigurationError, NotFoundError } from '../../errors.ts';
import type { Keeper } from '../../keeper-api.ts';
import { nearest } from '../input/nearest.ts';
import { hint } from './failure.ts';

/**
 * Gives an error the hint that the command line knows better than whoever threw it.
 *
 * @param renewal - of a command that takes a new name: the option by which it takes one in use.
 */
export async function suggest(error: unknown, keeper: Keeper, renewal?: string): Promise<void> {
  await suggestName(error, keeper);
  suggestConsent(error);
  suggestRenewal(error, renewal);
}

function suggestConsent(error: unknown): void {
  if (!(error instanceof AuthorizationRequiredError) || error.connection === undefined) return;
  hint(error, `evergrant connect ${error.connection} --reconnect`);
}

function suggestRenewal(error: unknown, renewal: string | undefined): void {
  if (renewal === undefined || !(error instanceof ConfigurationError)) return;
  if (error.code === 'ERR_CONNECTION_EXISTS') hint(error, renewal);
}

async function suggestName(error: unknown, keeper: Keeper): Promise<void> {
  if (!(error instanceof NotFoundError) || error.code !== 'ERR_CONNECTION_UNKNOWN') return;
  const names = (await keeper.list().catch(() => [])).map(({ name }) => name);
  if (names.length === 0)
    return hint(error, 'there is no connection yet; begin with evergrant connect');
  const close = error.connection === undefined ? undefined : nearest(error.connection, names);
  if (close !== undefined) hint(error, `did you mean ${close}?`);
}
