import { NotFoundError } from '../errors.ts';
import { entra } from './entra.ts';
import { generic } from './generic.ts';
import { perspio } from './perspio.ts';
import type { Provider } from './provider.ts';

/** The providers that come with evergrant, the best known first. */
export const providers: readonly Provider[] = [perspio, entra, generic];

/**
 * Looks a provider up by its name.
 *
 * @throws {@link NotFoundError} `ERR_PROVIDER_UNKNOWN`, naming those that exist.
 */
export function findProvider(name: string): Provider {
  const found = providers.find((provider) => provider.name === name);
  if (found !== undefined) return found;
  const known = providers.map((provider) => provider.name).join(', ');
  throw new NotFoundError(
    'ERR_PROVIDER_UNKNOWN',
    `there is no provider ${JSON.stringify(name)}; known are ${known}`,
  );
}
