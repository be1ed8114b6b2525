import { fingerprint } from '../fingerprint.ts';
import { required } from '../http/form.ts';
import { Refusal } from '../refusal.ts';
import { readScope, requireOneResource } from '../scopes.ts';
import type { DeviceRequest } from '../state/authorizations.ts';
import { issueDelegated, settleScope } from '../tokens/issue.ts';
import { openGrant } from '../tokens/open-grant.ts';
import type { GrantExchange, GrantHandler } from './grant-exchange.ts';

/** Answers a device's poll: pending, declined, or tokens. @see RFC 8628 section 3.4 */
export const deviceCodeGrant: GrantHandler = (exchange) => {
  const { server, form, client } = exchange;
  const device = findDevice(exchange);
  const username = decidedUser(device);
  const scope = readScope(device.scope, server.settings.resources);
  requireOneResource(scope, server.settings.resources);
  settleScope(server, client, username, scope);
  device.redeemed = true;
  const grant = openGrant(server, client, username, device.scope);
  exchange.note({ grantId: grant.id, user: username, scope: device.scope });
  return issueDelegated(server, {
    client,
    grant,
    scope,
    withRefreshToken: grant.offline,
    withClientInfo: form.get('client_info') === '1',
  });
};

function findDevice({ server, form, client }: GrantExchange): DeviceRequest {
  const device = server.authorizations.devices.get(fingerprint(required(form, 'device_code')));
  if (device?.clientId !== client.clientId) throw new Refusal(70018);
  if (device.redeemed) throw new Refusal(54005);
  if (device.expiresAt <= server.clock.now()) throw new Refusal(70019);
  return device;
}

function decidedUser({ decision }: DeviceRequest): string {
  if (decision === undefined) throw new Refusal(70016);
  if (decision === 'deny') throw new Refusal(65004, { error: 'authorization_declined' });
  return decision.username;
}
