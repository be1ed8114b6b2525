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
  const shown = text.slice(0, LONGEST_TEXT);
  const isHidden = new Uint8Array(shown.length);
  for (const secret of secrets) {
    const value = secret.reveal();
    if (value.length < SHORTEST_SECRET) continue;
    for (const form of formsOf(value)) mark(shown, form, isHidden);
  }
  return shown
    .split('')
    .map((character, i) =>
      isHidden[i] === 0 ? character : isHidden[i - 1] === 1 ? '' : '[secret]',
    )
    .join('');
}

/** Notes where a form, or a part of one, stands in the text. */
function mark(text: string, form: string, isHidden: Uint8Array): void {
  const length = Math.min(form.length, SHORTEST_PART);
  for (let at = 0; at + length <= text.length; at++) {
    if (form.includes(text.slice(at, at + length))) isHidden.fill(1, at, at + length);
  }
}

/** In base64 a secret begins at one of three offsets within its neighbours; the characters that they share in are cut off. */
function formsOf(value: string): ReadonlySet<string> {
  const base64 = ['', ' ', '  '].map((before) => {
    const encoded = Buffer.from(before + value).toString('base64');
    return encoded.slice(before === '' ? 0 : 4).replace(/.?.?=*$/, '');
  });
  const long = base64.filter((form) => form.length >= SHORTEST_PART);
  return new Set([
    value,
    encodeFormValue(value),
    encodeURIComponent(value.toWellFormed()),
    ...long,
  ]);
}
