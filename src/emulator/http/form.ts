import { Refusal } from '../refusal.ts';

/** Parameters of a form, each given once and not empty. */
export type Form = ReadonlyMap<string, string>;

/** Reads a form as far as it makes sense, for the ledger and for pages; the first of a repeated name wins. */
export function readForm(body: string): Form {
  const form = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(body)) {
    if (!form.has(name)) form.set(name, value);
  }
  return form;
}

/**
 * Reads a form as the token endpoint must have it.
 *
 * @throws Refusal for line breaks in the body, broken percent-encoding or a parameter given twice.
 */
export function readStrictForm(body: string): Form {
  if (/[\r\n]/.test(body))
    throw new Refusal(9002313, { text: 'The body must not contain line breaks.' });
  const form = new Map<string, string>();
  for (const pair of body.split('&').filter(Boolean)) {
    const [name = '', ...rest] = pair.split('=');
    const key = decode(name);
    if (form.has(key))
      throw new Refusal(9000411, { text: `The parameter '${key}' is given twice.` });
    form.set(key, decode(rest.join('=')));
  }
  // RFC 6749 section 3.2: parameters without a value are treated as left out.
  return new Map([...form].filter(([, value]) => value !== ''));
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    throw new Refusal(9002313, { text: 'The body is not form-encoded.' });
  }
}

/**
 * The value of a parameter that must be there.
 *
 * @throws Refusal 900144 naming it.
 */
export function required(form: Form, name: string): string {
  const value = form.get(name);
  if (value === undefined) {
    throw new Refusal(900144, { text: `The request body must contain the parameter '${name}'.` });
  }
  return value;
}
