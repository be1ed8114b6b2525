import { redirect, type Answer } from '../http/answer.ts';
import type { Exchange } from '../http/exchange.ts';
import { readForm } from '../http/form.ts';
import { markup, page } from '../pages/page.ts';
import { isRegisteredRedirect } from '../state/clients.ts';

/** Ends the browser's session, never a grant: refresh tokens stay valid, as at Entra. @see OpenID Connect RP-Initiated Logout 1.0 */
export function logout({ server, request }: Exchange): Answer {
  const source = request.method === 'POST' ? request.body : request.query.toString();
  const parameters = readForm(source);
  const target = parameters.get('post_logout_redirect_uri');
  if (
    target === undefined ||
    !server.clients.all().some((each) => isRegisteredRedirect(each, target))
  ) {
    return page(200, 'Signed out', markup`<p>You can close this page.</p>`);
  }
  const state = parameters.get('state');
  const url = new URL(target);
  if (state !== undefined) url.searchParams.append('state', state);
  return redirect(url.href);
}
