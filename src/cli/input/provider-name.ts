import type { Provider } from '../../providers/provider.ts';
import { findProvider, providers } from '../../providers/providers.ts';
import { hint } from '../output/failure.ts';
import { UsageError } from '../usage-error.ts';
import { nearest } from './nearest.ts';

/**
 * The provider that an option names or, without one, that is called like the connection.
 *
 * @throws {@link NotFoundError} when there is none of that name, with a hint at the nearest; {@link UsageError} when nothing names one.
 */
export function requireProvider(given: string | undefined, connection: string): Provider {
  const names = providers.map(({ name }) => name);
  if (given === undefined) {
    if (names.includes(connection)) return findProvider(connection);
    throw new UsageError(`--provider is missing; known are ${names.join(', ')}`);
  }
  try {
    return findProvider(given);
  } catch (error) {
    const close = nearest(given, names);
    if (error instanceof Error && close !== undefined) hint(error, `did you mean ${close}?`);
    throw error;
  }
}
