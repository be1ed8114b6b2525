import type { Dice } from './dice.ts';

/*
 * What an attacker, or a bad day, writes where something sensible was meant.
 */

const TEXTS = [
  '',
  ' ',
  '0',
  'null',
  '\0',
  '\r\n',
  'a\r\nx-injected: 1',
  '\u001b[2J\u001b]0;title\u0007',
  '\u202e\u2066\u200b\ufeff',
  '\ud800',
  '\udfff\ud800',
  '👩‍👩‍👧‍👦',
  'ÄÖÜ',
  '__proto__',
  'constructor',
  'toString',
  '{}',
  '[]',
  '"',
  "'",
  '\\',
  '%',
  '%00',
  '%zz',
  '../../etc/passwd',
  'javascript:alert(1)',
  'file:///etc/passwd',
  'data:text/html,x',
  'http://127.0.0.1:1/',
  'https://as.example@evil.example/',
  '//evil.example/',
  'https://[::1',
  '-1',
  '1e308',
  'NaN',
  'true',
  '--',
  '-',
  '$(id)',
  '`id`',
  '<script>alert(1)</script>',
];

const NUMBERS = [
  '0',
  '-0',
  '-1',
  '1',
  '0.5',
  '3600',
  '1e3',
  '1E20',
  '1e400',
  '-1e400',
  '9007199254740993',
  '2147483648',
  '4294967296',
  '123456789012345678901234567890',
  '0.1e-300',
];

/** A text that nobody expects; sometimes a very long one. */
export function hostileText(dice: Dice): string {
  if (dice.chance(0.1))
    return dice
      .pick(TEXTS)
      .repeat(1 + dice.below(2_000))
      .slice(0, 20_000);
  if (dice.chance(0.3)) return Buffer.from(dice.bytes(dice.below(30))).toString('latin1');
  return dice.pick(TEXTS);
}

/** A JSON value as text: mostly small, sometimes deep. */
export function hostileJson(dice: Dice, depth = 0): string {
  const kind = dice.below(depth > 4 ? 5 : 8);
  if (kind === 0) return dice.pick(['true', 'false', 'null']);
  if (kind <= 2) return dice.pick(NUMBERS);
  if (kind <= 4) return jsonString(dice, hostileText(dice));
  if (kind === 5) return `[${dice.several(4, () => hostileJson(dice, depth + 1)).join(',')}]`;
  if (kind === 6 && dice.chance(0.1)) {
    const levels = dice.pick([100, 5_000, 100_000]);
    const [open, close] = dice.pick([
      ['[', ']'],
      ['{"a":', '}'],
    ] as const);
    return `${open.repeat(levels)}1${close.repeat(levels)}`;
  }
  const members = dice.several(4, () => {
    return `${jsonString(dice, hostileText(dice))}:${hostileJson(dice, depth + 1)}`;
  });
  return `{${members.join(',')}}`;
}

/** A string as JSON writes it, in any of its spellings. */
export function jsonString(dice: Dice, text: string): string {
  if (dice.chance(0.8)) return JSON.stringify(text);
  const escaped = Array.from({ length: text.length }, (_, i) => {
    return `\\u${text.charCodeAt(i).toString(16).padStart(4, '0')}`;
  });
  return `"${escaped.join('')}"`;
}

/** The same bytes with something done to them; none is left out by chance of one in `1 - share`. */
export function mutate(dice: Dice, bytes: Uint8Array, share = 0.5): Uint8Array {
  let mutated = Buffer.from(bytes);
  while (dice.chance(share)) mutated = Buffer.from(mutateOnce(dice, mutated));
  return mutated;
}

function mutateOnce(dice: Dice, bytes: Buffer): Uint8Array {
  const at = dice.below(bytes.length + 1);
  const until = Math.min(bytes.length, at + dice.below(20));
  switch (dice.below(8)) {
    case 0:
      return bytes.subarray(0, at);
    case 1:
      return bytes.subarray(at);
    case 2:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(until)]);
    case 3:
      return Buffer.concat([bytes.subarray(0, until), bytes.subarray(at)]);
    case 4:
      return Buffer.concat([
        bytes.subarray(0, at),
        dice.bytes(1 + dice.below(8)),
        bytes.subarray(at),
      ]);
    case 5:
      return Buffer.concat([
        bytes.subarray(0, at),
        Buffer.from(hostileText(dice)),
        bytes.subarray(at),
      ]);
    case 6:
      return Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), bytes]);
    default: {
      const flipped = Buffer.from(bytes);
      if (at < flipped.length) flipped[at] = (flipped[at] ?? 0) ^ (1 << dice.below(8));
      return flipped;
    }
  }
}
