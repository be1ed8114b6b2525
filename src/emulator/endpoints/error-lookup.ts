import { aadstsErrors } from '../aadsts.ts';
import type { Answer } from '../http/answer.ts';
import type { Exchange } from '../http/exchange.ts';
import { markup, page } from '../pages/page.ts';

/** The page behind `error_uri`. */
export function errorLookup({ request }: Exchange): Answer {
  const code = request.query.get('code') ?? '';
  const known = aadstsErrors.get(Number(code));
  if (known === undefined) return page(404, 'Unknown code', markup`<p>No text for ${code}.</p>`);
  return page(200, `AADSTS${code}`, markup`<p><code>${known.error}</code>: ${known.text}</p>`);
}
