import { describe, expect, it } from 'vitest';
import { hideSecrets } from '../../../src/oauth/hidden.ts';
import { Secret } from '../../../src/secret.ts';

const VALUE = 'Q~8x+kept/of the_client.0123456789';
const secrets = [new Secret(VALUE)];

describe('a secret that a server repeats', () => {
  it.each([
    ['as it is', VALUE],
    [
      'encoded for a form',
      VALUE.replace('~', '%7E').replace('+', '%2B').replace('/', '%2F').replaceAll(' ', '%20'),
    ],
    ['encoded as a part of an address', encodeURIComponent(VALUE)],
    ['in base64', Buffer.from(VALUE).toString('base64')],
    ['within Basic credentials', Buffer.from(`client:${VALUE}`).toString('base64')],
    ['at any offset in base64', Buffer.from(`client1:${VALUE}`).toString('base64')],
    ['cut', VALUE.slice(0, 12)],
    ['without its beginning', VALUE.slice(7)],
    ['in two lines', `${VALUE.slice(0, 16)}\n${VALUE.slice(16)}`],
  ])('is hidden %s', (_, repeated) => {
    const shown = hideSecrets(`no such token: ${repeated}!`, secrets);
    expect(shown).toMatch(/^no such token: .{0,16}\[secret\]/);
    const readings = [
      shown,
      ...shown.split('[secret]').map((part) => Buffer.from(part, 'base64').toString()),
    ];
    for (let at = 0; at + 6 <= VALUE.length; at++) {
      for (const reading of readings) expect(reading).not.toContain(VALUE.slice(at, at + 6));
    }
  });

  it('is hidden every time, and the words around it stay', () => {
    const shown = hideSecrets(`<${VALUE}> and <${VALUE}>`, secrets);
    expect(shown).toBe('<[secret]> and <[secret]>');
  });

  it('is hidden part by part where the server made it, however long it and its echo are', () => {
    const made = `${'a'.repeat(11)}b`.repeat(20_000);
    const shown = hideSecrets('a'.repeat(11).concat('b').repeat(300), [new Secret(made)]);
    expect(shown).toBe('[secret]');
    expect(hideSecrets('a'.repeat(4_000), [new Secret(made)])).toBe('a'.repeat(4_000));
  });

  it('is hidden where it is short, but not where it is so short that it is a word', () => {
    expect(hideSecrets('key abcd', [new Secret('abcd')])).toBe('key [secret]');
    expect(hideSecrets('abcd, abcd', [new Secret('abcd')])).toBe('[secret], [secret]');
    const short = Buffer.from('abcd').toString('base64');
    expect(hideSecrets(short, [new Secret('abcd')])).toBe(short);
    expect(hideSecrets('an error', [new Secret('an')])).toBe('an error');
  });
});

it('leaves a text without secrets alone, but for its length', () => {
  expect(hideSecrets('the refresh token has expired', secrets)).toBe(
    'the refresh token has expired',
  );
  expect(hideSecrets('x'.repeat(10_000), secrets)).toHaveLength(4_000);
});
