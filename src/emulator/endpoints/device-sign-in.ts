import type { Answer } from '../http/answer.ts';
import type { Exchange } from '../http/exchange.ts';
import { readForm } from '../http/form.ts';
import { markup, page } from '../pages/page.ts';
import { problemNote, signInPage } from '../pages/sign-in-page.ts';
import { Refusal } from '../refusal.ts';
import { readScope, scopesToConsent } from '../scopes.ts';
import type { AuthorizationServer } from '../server.ts';
import type { DeviceRequest } from '../state/authorizations.ts';
import { consent } from '../state/users.ts';
import { identifyPerson } from './sign-in.ts';

/** The page at which a person enters the code that a device shows, signs in and decides. @see RFC 8628 section 3.3 */
export function deviceSignIn(exchange: Exchange): Answer {
  const { server, request } = exchange;
  if (request.method === 'POST') return decide(exchange);
  const userCode = request.query.get('user_code');
  if (userCode === null) return codePage();
  const device = findWaiting(server, userCode);
  if (device === undefined) return codePage('There is no such code, or it has expired.');
  exchange.note({ clientId: device.clientId, scope: device.scope });
  return showSignIn(server, device);
}

function decide(exchange: Exchange): Answer {
  const { server, request } = exchange;
  const form = readForm(request.body);
  const device = findWaiting(server, form.get('user_code') ?? '');
  if (device === undefined) return codePage('There is no such code, or it has expired.');
  exchange.note({ clientId: device.clientId, scope: device.scope });
  if (form.get('decision') === 'deny') {
    device.decision = 'deny';
    exchange.note({ outcome: 'access_denied', committed: true });
    return page(200, 'Refused', markup`<p>The device gets nothing. You can close this page.</p>`);
  }
  const user = identifyPerson(server, form);
  if (user instanceof Refusal) {
    exchange.note({ outcome: user.error, aadsts: user.code });
    return showSignIn(server, device, user.message);
  }
  const scopes = scopesToConsent(readScope(device.scope, server.settings.resources));
  consent(user, device.clientId, scopes);
  device.decision = { username: user.username };
  exchange.note({ committed: true, user: user.username });
  return page(200, 'Signed in', markup`<p>The device is connected. You can close this page.</p>`);
}

function findWaiting(server: AuthorizationServer, userCode: string): DeviceRequest | undefined {
  const wanted = userCode.trim().toUpperCase();
  return [...server.authorizations.devices.values()].find(
    ({ userCode: code, decision, expiresAt }) =>
      code === wanted && decision === undefined && expiresAt > server.clock.now(),
  );
}

function codePage(problem?: string): Answer {
  return page(
    problem === undefined ? 200 : 404,
    'Enter the code',
    markup`${problemNote(problem)}
<form method="get">
<label>Code that your device shows
<input type="text" name="user_code" autocomplete="off" autocapitalize="characters" required autofocus></label>
<p><button type="submit">Next</button></p>
</form>`,
  );
}

function showSignIn(server: AuthorizationServer, device: DeviceRequest, problem?: string): Answer {
  return signInPage({
    action: '/common/oauth2/deviceauth',
    hidden: { name: 'user_code', value: device.userCode },
    clientId: device.clientId,
    scopes: device.scope.split(' '),
    users: server.users.all(),
    ...(problem === undefined ? {} : { problem }),
  });
}
