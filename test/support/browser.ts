/*
 * A browser as far as a sign-in needs one: it follows redirects, fills in the form of the sign-in page and ends at the loopback address.
 */

/** What the person does at the sign-in page. */
export interface Person {
  readonly username?: string;
  readonly password?: string;
  readonly decision?: 'accept' | 'deny';
}

/** Where the browser ended. */
export interface Visit {
  /** Address of the last page, or of the first that is `stopAt`. */
  readonly url: string;
  readonly status: number;
  readonly text: string;
}

/**
 * Opens an address, follows redirects and, where a sign-in form comes, posts it. `stopBefore` is not opened: its address is where the
 * browser of a machine without the listener would end.
 */
export async function browse(
  address: string,
  options: { readonly person?: Person; readonly stopBefore?: string } = {},
): Promise<Visit> {
  let response = await fetch(address, { redirect: 'manual' });
  let url = address;
  for (let step = 0; step < 10; step++) {
    const location = response.headers.get('location');
    if (location !== null) {
      await response.body?.cancel();
      url = new URL(location, url).href;
      if (options.stopBefore !== undefined && url.startsWith(options.stopBefore)) {
        return { url, status: response.status, text: '' };
      }
      response = await fetch(url, { redirect: 'manual' });
      continue;
    }
    const text = await response.text();
    const form = signInForm(text, options.person ?? {});
    if (form === undefined || response.status !== 200)
      return { url, status: response.status, text };
    url = new URL(form.action, url).href;
    response = await fetch(url, { method: 'POST', body: form.body, redirect: 'manual' });
  }
  throw new Error(`more than 10 steps, the last at ${url}`);
}

/** Signs in and hands back the address at which a browser elsewhere would end. */
export async function paste(
  address: string,
  redirectUri: string,
  person?: Person,
): Promise<string> {
  const visit = await browse(address, { stopBefore: redirectUri, ...(person && { person }) });
  return visit.url;
}

function signInForm(
  text: string,
  person: Person,
): { readonly action: string; readonly body: URLSearchParams } | undefined {
  const [, action] = /<form method="post" action="([^"]+)"/.exec(text) ?? [];
  const [, name, value] = /<input type="hidden" name="([^"]+)" value="([^"]+)"/.exec(text) ?? [];
  if (action === undefined || name === undefined || value === undefined) return undefined;
  const body = new URLSearchParams({
    [name]: value,
    username: person.username ?? 'demo@perspio.io',
    password: person.password ?? 'demo-password',
    decision: person.decision ?? 'accept',
  });
  return { action, body };
}
