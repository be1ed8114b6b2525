import { ConfigurationError, NotFoundError } from '../errors.ts';
import type { ClientRecord } from '../connection/record.ts';
import type { Engine } from '../refresh/engine.ts';

/** The registration of a client id in this store. @throws as {@link chooseRegistration} */
export async function registrationOf(
  { store }: Engine,
  clientId: string,
  tokenEndpoint: string | undefined,
): Promise<Registration> {
  return chooseRegistration(await store.clients(), clientId, tokenEndpoint);
}

type Registration = Pick<ClientRecord, 'clientId' | 'tokenEndpoint'>;

/**
 * The registration of a client id among those there are.
 *
 * @param tokenEndpoint - which, where several have that client id.
 * @throws {@link NotFoundError} `ERR_CLIENT_UNKNOWN`; {@link ConfigurationError} `ERR_ARGUMENT` when there are several.
 */
export function chooseRegistration(
  clients: readonly Registration[],
  clientId: string,
  tokenEndpoint: string | undefined,
): Registration {
  const matching = clients.filter(
    (client) =>
      client.clientId === clientId &&
      (tokenEndpoint ?? client.tokenEndpoint) === client.tokenEndpoint,
  );
  const endpoints = [...new Set(matching.map((client) => client.tokenEndpoint))];
  const [found, another] = endpoints;
  if (found === undefined) {
    throw new NotFoundError(
      'ERR_CLIENT_UNKNOWN',
      `there is no client ${clientId}${tokenEndpoint === undefined ? '' : ` at ${tokenEndpoint}`}; evergrant client list shows those there are`,
    );
  }
  if (another !== undefined) {
    throw new ConfigurationError(
      'ERR_ARGUMENT',
      `client ${clientId} exists at ${endpoints.join(' and ')}; name one by tokenEndpoint`,
    );
  }
  return { clientId, tokenEndpoint: found };
}
