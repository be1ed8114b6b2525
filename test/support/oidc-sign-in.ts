import type { IncomingMessage, ServerResponse } from 'node:http';
import type Provider from 'oidc-provider';

/*
 * A sign-in at oidc-provider without a person: what decides at the server, and the browser that follows.
 */

/** Where the server sends a browser that must sign in or consent. */
export const INTERACTIONS = {
  url: (_context: unknown, { uid }: { readonly uid: string }): string => `/interaction/${uid}`,
};

/** Whether a request belongs to {@link decideInteraction}. */
export function isInteraction(request: IncomingMessage): boolean {
  return request.url?.startsWith('/interaction/') === true;
}

/** The person signs in as alice and consents to everything. */
export async function decideInteraction(
  provider: Provider,
  clientId: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { prompt, params } = await provider.interactionDetails(request, response);
  if (prompt.name === 'login') {
    await provider.interactionFinished(request, response, { login: { accountId: 'alice' } });
    return;
  }
  const grant = new provider.Grant({ accountId: 'alice', clientId });
  grant.addOIDCScope(String(params['scope']));
  const consent = { grantId: await grant.save() };
  await provider.interactionFinished(
    request,
    response,
    { consent },
    { mergeWithLastSubmission: true },
  );
}

/** Follows redirects as a browser does, keeping cookies. */
export async function follow(address: string): Promise<void> {
  const cookies = new Map<string, string>();
  let url = address;
  for (let step = 0; step < 15; step++) {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(url, { redirect: 'manual', headers: { cookie } });
    await response.body?.cancel();
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      cookies.set(name, value);
    }
    const location = response.headers.get('location');
    if (location === null) return;
    url = new URL(location, url).href;
  }
}
