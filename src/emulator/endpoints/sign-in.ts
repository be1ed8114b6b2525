import type { Answer } from '../http/answer.ts';
import type { Exchange } from '../http/exchange.ts';
import { readForm, type Form } from '../http/form.ts';
import { signInPage } from '../pages/sign-in-page.ts';
import { Refusal } from '../refusal.ts';
import type { AuthorizationServer } from '../server.ts';
import type { AuthorizationRequest } from '../state/authorizations.ts';
import type { DirectoryUser } from '../state/users.ts';
import { errorPage, grantCode, refuseAuthorization } from './authorization-response.ts';

/** Takes the form of the sign-in page: on with a code, back with a refusal, or the page again. */
export function signIn(exchange: Exchange): Answer {
  const { server, request } = exchange;
  const form = readForm(request.body);
  const page = form.get('request') ?? '';
  const asked = server.authorizations.signIns.get(page);
  if (asked === undefined) {
    return errorPage(exchange, new Refusal(50089, { text: 'This page is too old. Start again.' }));
  }
  exchange.note({ clientId: asked.clientId, scope: asked.scope });
  const user = form.get('decision') === 'deny' ? new Refusal(65004) : identifyPerson(server, form);
  if (user instanceof Refusal && user.code !== 65004) {
    exchange.note({ outcome: user.error, aadsts: user.code });
    return showSignIn(server, asked, page, user.message);
  }
  server.authorizations.signIns.delete(page);
  if (user instanceof Refusal) return refuseAuthorization(exchange, asked, user);
  return grantCode(exchange, asked, user.username);
}

/** Shows the page for a request that waits under the id `page`. */
export function showSignIn(
  server: AuthorizationServer,
  asked: AuthorizationRequest,
  page: string,
  problem?: string,
): Answer {
  return signInPage({
    action: `/${server.settings.entraTenantId}/sign-in`,
    hidden: { name: 'request', value: page },
    clientId: asked.clientId,
    scopes: asked.scope.split(' '),
    users: server.users.all(),
    chosen: asked.loginHint,
    ...(problem === undefined ? {} : { problem }),
  });
}

/** The person whose name and password a form holds; 50126 or 50057 when it is nobody who may sign in. */
export function identifyPerson(server: AuthorizationServer, form: Form): DirectoryUser | Refusal {
  const user = server.users.look(form.get('username') ?? '');
  if (user === undefined || user.password !== form.get('password')) return new Refusal(50126);
  return user.disabled ? new Refusal(50057) : user;
}
