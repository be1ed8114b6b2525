import type { View } from '../connection/decision.ts';
import { subscriptionKeyContext } from '../connection/secrets.ts';
import type { Engine } from '../refresh/engine.ts';
import type { ApiAccess, ApiFinding } from '../resource/exchange.ts';
import { Secret } from '../secret.ts';
import type { HandleParts } from './handle-parts.ts';
import { TOKEN_PATIENCE_MS } from './token.ts';

/**
 * What calling the API of a connection takes, as the connection is now: when it is given another registration, there is no token any more.
 *
 * @throws {@link NotFoundError} `ERR_CONNECTION_UNKNOWN`
 */
export async function apiAccess(name: string, parts: HandleParts): Promise<ApiAccess> {
  parts.assertOpen();
  const { engine, memory, server } = parts;
  const known = memory.recall(name) ?? (await memory.read(name));
  const { connection, client } = known.view;
  return {
    // By what was read and never by name: all that follows is of this registration, and so must be every token.
    token: async ({ rejected }) => {
      if (rejected === undefined) {
        const served = known.token && memory.serve(known.token);
        if (served !== undefined) return served;
        parts.assertOpen();
      }
      return server.callToken(known, rejected, TOKEN_PATIENCE_MS);
    },
    api: engine.profileOf(client).api,
    settings: {
      subscriptionKey: openKey(engine, connection),
      perspioTenantId: connection.perspioTenantId,
    },
    clock: engine.clock,
    memory: parts.apiMemory(`${connection.id} ${client.id}`),
    report: (finding) => {
      engine.emit('warning', { connection: name, message: tell(finding) });
    },
  };
}

function openKey(engine: Engine, connection: View['connection']): Secret | undefined {
  const { subscriptionKey, id } = connection;
  if (subscriptionKey === undefined) return undefined;
  const plain = engine.store.sealer.open(subscriptionKey, subscriptionKeyContext(id));
  return new Secret(Buffer.from(plain).toString('utf8'));
}

function tell(finding: ApiFinding): string {
  switch (finding.kind) {
    case 'token_rejected':
      return 'the API refuses freshly issued tokens; check audience, scopes, subscription key and tenant';
    case 'throttled':
      return 'the API asks to wait before the next call';
    case 'key_rejected':
      return 'the API gateway refuses the subscription key; check it, the token is not the reason';
    case 'sign_in_wanted':
      return 'the API wants a new sign-in of the person who consented';
    case 'scope_insufficient':
      return 'the API wants scopes that were not granted; connect again and ask for them';
  }
}
