import { sabotaged } from '#failpoints';
import type { Secret } from '../secret.ts';
import { encodeFormValue } from './form.ts';

/** Shorter ones occur in innocent words. */
const SHORTEST_SECRET = 4;
/** So many characters in a row of a secret are taken for a part of it: servers cut, wrap and encode what they repeat. */
const SHORTEST_PART = 12;
/** Beyond this nobody reads. */
const LONGEST_TEXT = 4_000;

/**
 * Puts `[secret]` in place of each secret that a text repeats, and of each part of one, as it is or encoded for a form or in base64. Cuts
 * the text to 4 000 characters.
 */
export function hideSecrets(text: string, secrets: readonly Secret[]): string {
  if (sabotaged('redaction')) return text;
  const shown = text.slice(0, LONGEST_TEXT);
  const isHidden = new Uint8Array(shown.length);
  const parts = partsOf(shown);
  for (const secret of secrets) {
    const value = secret.reveal();
    if (value.length < SHORTEST_SECRET) continue;
    for (const form of formsOf(value)) mark(shown, parts, form, isHidden);
  }
  return shown
    .split('')
    .map((character, i) =>
      isHidden[i] === 0 ? character : isHidden[i - 1] === 1 ? '' : '[secret]',
    )
    .join('');
}

/** Where each part of a text stands that is as long as the shortest part of a secret. */
function partsOf(text: string): Map<string, number[]> {
  const parts = new Map<string, number[]>();
  for (let at = 0; at + SHORTEST_PART <= text.length; at++) {
    const part = text.slice(at, at + SHORTEST_PART);
    const places = parts.get(part);
    if (places === undefined) parts.set(part, [at]);
    else places.push(at);
  }
  return parts;
}

/**
 * Notes where a form, or a part of one, stands in the text. A server may choose both, so the work grows with the one plus the other: a part
 * that was found is not looked for again.
 */
function mark(
  text: string,
  parts: Map<string, readonly number[]>,
  form: string,
  isHidden: Uint8Array,
): void {
  if (form.length < SHORTEST_PART) {
    for (let at = text.indexOf(form); at >= 0; at = text.indexOf(form, at + 1)) {
      isHidden.fill(1, at, at + form.length);
    }
    return;
  }
  for (let from = 0; from + SHORTEST_PART <= form.length && parts.size > 0; from++) {
    const part = form.slice(from, from + SHORTEST_PART);
    for (const at of parts.get(part) ?? []) isHidden.fill(1, at, at + SHORTEST_PART);
    parts.delete(part);
  }
}

/** In base64 a secret begins at one of three offsets within its neighbours; the characters that they share in are cut off. */
function formsOf(value: string): ReadonlySet<string> {
  const base64 = ['', ' ', '  '].map((before) => {
    const encoded = Buffer.from(before + value).toString('base64');
    const end = encoded.indexOf('=');
    return encoded.slice(before === '' ? 0 : 4, (end < 0 ? encoded.length : end) - 2);
  });
  const long = base64.filter((form) => form.length >= SHORTEST_PART);
  return new Set([
    value,
    encodeFormValue(value),
    encodeURIComponent(value.toWellFormed()),
    ...long,
  ]);
}
