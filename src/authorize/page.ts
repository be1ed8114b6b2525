/*
 * What a browser sees at the loopback address. The pages are constant: they repeat nothing of the request, load nothing and lead nowhere,
 * so that the code in the address bar goes nowhere either.
 */

/** Header fields of every page. */
export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy':
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-store',
  connection: 'close',
};

/** Shown for the one valid answer, whatever it says. */
export const ANSWERED_PAGE = page(
  'The answer has arrived',
  'Return to evergrant, which tells how it went. You may close this window.',
);

/** Shown for everything else. */
export const REFUSED_PAGE = page(
  'This is not the expected answer',
  'It does not belong to the sign-in that evergrant is waiting for. Nothing was changed.',
);

function page(title: string, text: string): string {
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>evergrant</title><h1>${title}</h1><p>${text}</p></html>\n`;
}
