import type { View } from '../connection/decision.ts';
import type { Beginning } from '../connection/record.ts';
import type { ConnectOptions, ReconnectOptions } from '../keeper-api.ts';
import type { Engine } from '../refresh/engine.ts';
import type { Registration } from './begin.ts';

/** Tokens that were imported came of a person's consent, most likely. */
const GRANTS: Readonly<Record<Beginning, NonNullable<ConnectOptions['grant']>>> = {
  authorization_code: 'code',
  device_code: 'device',
  client_credentials: 'client-credentials',
  import: 'code',
};

/** What a connection was begun with, as the store knows it, and what is said anew. Secrets stay sealed. */
export function asBefore(
  engine: Engine,
  { connection, client }: View,
  again: ReconnectOptions,
): { readonly options: ConnectOptions; readonly registration: Registration } {
  const { scopes, beginning } = connection;
  // Scopes for the refresh are stored where the caller had named any; else those of the profile count, as at first.
  const scope = again.scope ?? (scopes.refresh === undefined ? undefined : scopes.requested);
  return {
    options: {
      ...again,
      provider: client.provider,
      client: { clientId: client.clientId },
      grant: again.grant ?? GRANTS[beginning],
      ...(scope !== undefined && { scope }),
      reconnect: true,
    },
    registration: { client, profile: engine.profileOf(client) },
  };
}
