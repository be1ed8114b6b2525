import { systemFetch } from '../system/fetch.ts';

/*
 * The person of the demo, with a browser that can do as much as a sign-in needs: follow redirects and submit the form of the page.
 */

const MOST_STEPS = 10;

/** Opens the address, signs in with what the page proposes, accepts, and goes where the browser is sent. */
export async function signIn(address: string, signal: AbortSignal): Promise<void> {
  let url = address;
  let response = await systemFetch(url, { redirect: 'manual', signal });
  for (let step = 0; step < MOST_STEPS; step++) {
    const location = response.headers.get('location');
    const text = await response.text();
    if (location !== null) {
      url = new URL(location, url).href;
      response = await systemFetch(url, { redirect: 'manual', signal });
      continue;
    }
    const form = readForm(text);
    if (!response.ok || form === undefined) return;
    url = new URL(form.action, url).href;
    const body = form.fields;
    response = await systemFetch(url, { method: 'POST', body, redirect: 'manual', signal });
  }
  throw new Error('the sign-in went in circles');
}

function readForm(page: string): { action: string; fields: URLSearchParams } | undefined {
  const action = /<form method="post" action="([^"]+)"/.exec(page)?.[1];
  if (action === undefined) return undefined;
  const fields = new URLSearchParams();
  for (const [tag] of page.matchAll(/<(?:input|button)\b[^>]*>/g)) {
    const name = attribute(tag, 'name');
    const isChosen = attribute(tag, 'type') !== 'radio' || tag.includes(' checked');
    // Of the two buttons the person presses the first, which accepts.
    if (name === undefined || !isChosen || fields.has(name)) continue;
    fields.set(name, attribute(tag, 'value') ?? '');
  }
  return { action, fields };
}

function attribute(tag: string, name: string): string | undefined {
  return new RegExp(` ${name}="([^"]*)"`).exec(tag)?.[1];
}
