import { required } from '../http/form.ts';
import { Refusal } from '../refusal.ts';
import { readScope, requireOneResource } from '../scopes.ts';
import { isConfidential } from '../state/clients.ts';
import { issueForApplication } from '../tokens/issue.ts';
import type { GrantHandler } from './grant-exchange.ts';

/** Issues a token for the application itself; the scope must be `.default` of one resource. @see RFC 6749 section 4.4 */
export const clientCredentials: GrantHandler = ({ server, form, client }) => {
  if (!isConfidential(client)) throw new Refusal(7000218);
  const scope = readScope(required(form, 'scope'), server.settings.resources);
  const resource = requireOneResource(scope, server.settings.resources);
  if (scope.items.some((item) => item.name !== '.default')) {
    throw new Refusal(70011, {
      text: `Client credentials take ${resource.uri}/.default, not single scopes.`,
    });
  }
  return issueForApplication(server, client, resource);
};
