import { gunzipSync } from 'node:zlib';

/*
 * Searches outputs for secrets, in every form in which they leak: as they are, encoded, escaped, compressed, in the middle of other text.
 */

/** A secret and what kind it is. */
export interface Canary {
  readonly kind: string;
  readonly value: string;
}

/** Something that may hold a leak. */
export interface Evidence {
  readonly where: string;
  readonly bytes: Uint8Array;
}

/** A secret that was found. */
export interface Leak {
  readonly kind: string;
  readonly form: string;
  readonly where: string;
}

/** Every form of a secret, by name. */
export function formsOf(value: string): ReadonlyMap<string, string> {
  const bytes = Buffer.from(value, 'utf8');
  const forms = new Map([
    ['raw', value],
    ['hex', bytes.toString('hex')],
    ['HEX', bytes.toString('hex').toUpperCase()],
    ['percent', encodeURIComponent(value)],
    ['json', JSON.stringify(value).slice(1, -1)],
    ['utf16', bytes.toString('latin1').split('').join('\0')],
  ]);
  // In the middle of encoded text a secret starts at one of three offsets; the characters its neighbours share in are cut off.
  for (const offset of [0, 1, 2]) {
    const encoded = Buffer.concat([Buffer.alloc(offset), bytes]).toString('base64');
    const inner = encoded.slice(offset === 0 ? 0 : 4).replace(/.?.?=*$/, '');
    forms.set(`base64+${String(offset)}`, inner);
    forms.set(`base64url+${String(offset)}`, inner.replaceAll('+', '-').replaceAll('/', '_'));
  }
  return forms;
}

/** Finds every secret in every piece of evidence. */
export function findLeaks(canaries: readonly Canary[], evidence: readonly Evidence[]): Leak[] {
  const needles = canaries.flatMap(({ kind, value }) =>
    [...formsOf(value)].map(([form, text]) => ({ kind, form, bytes: Buffer.from(text, 'latin1') })),
  );
  return evidence.flatMap(({ where, bytes }) =>
    readings(bytes).flatMap((reading) =>
      needles
        .filter((needle) => needle.bytes.length >= 6 && reading.includes(needle.bytes))
        .map(({ kind, form }) => ({ kind, form, where })),
    ),
  );
}

function readings(bytes: Uint8Array): Buffer[] {
  const plain = Buffer.from(bytes);
  try {
    return [plain, gunzipSync(plain)];
  } catch {
    return [plain];
  }
}
