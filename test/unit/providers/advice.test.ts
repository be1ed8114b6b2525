import { describe, expect, it } from 'vitest';
import type { Refusal } from '../../../src/oauth/outcome.ts';
import { adviseOn } from '../../../src/providers/advice.ts';
import { entraCodes } from '../../../src/providers/entra-codes.ts';
import { findProvider } from '../../../src/providers/providers.ts';

function refusal(parts: Partial<Refusal>): Refusal {
  return {
    status: 400,
    error: undefined,
    description: undefined,
    suberror: undefined,
    codes: [],
    claims: undefined,
    traceId: undefined,
    correlationId: undefined,
    ...parts,
  };
}

/** The codes that an owner, an administrator, the operator or nobody can do something about. */
const known = {
  owner: [
    16000, 40009, 50055, 50058, 50072, 50074, 50076, 50078, 50079, 50085, 50089, 50125, 50126,
    50132, 50133, 50135, 50140, 50143, 50144, 50158, 50173, 50199, 65001, 65004, 70000, 70008,
    70018, 70019, 70043, 70044, 140000, 140001, 700003, 700020, 700081, 700082, 700084,
  ],
  administrator: [
    40008, 50014, 50020, 50034, 50053, 50057, 50097, 50105, 50129, 50131, 50155, 50187, 51004,
    53000, 53001, 53002, 53003, 53004, 53010, 53011, 70001, 90036, 90055, 90072, 90092, 90094,
    90095, 135010, 135011, 530032, 530034, 530035, 530084, 7000112, 80001, 80014,
  ],
  operator: [
    28002, 28003, 50001, 50011, 50012, 50013, 50059, 50128, 50147, 50194, 54005, 65005, 70002,
    70003, 70004, 70011, 90002, 90009, 90013, 90014, 90015, 90023, 90100, 90130, 240002, 500011,
    500133, 501481, 501491, 650052, 650054, 650056, 650057, 700005, 700011, 700016, 700022, 700023,
    700025, 700027, 700030, 700038, 900144, 900561, 7000114, 7000215, 7000216, 7000218, 7000222,
    9001023, 9002313,
  ],
  nobody: [
    40010, 50033, 50087, 50088, 50196, 70012, 70016, 90006, 90012, 90024, 90025, 90033, 90090,
  ],
} as const;

describe('advice on a refusal of Entra', () => {
  const perspio = findProvider('perspio');

  it.each(Object.entries(known))('%s acts on the codes that concern them', (actor, codes) => {
    const others = codes.filter((code) => entraCodes[code]?.actor !== actor);
    expect(others).toEqual([]);
  });

  it('is whole sentences, without a code in it', () => {
    for (const { cause, remedy } of Object.values(entraCodes))
      for (const sentence of [cause, remedy])
        expect(sentence).toMatch(/^[A-Z][^\n\d]*(?:90 days)?[^\n\d]*\.$/);
  });

  it('for an expired secret says that the grant is kept', () => {
    const advice = adviseOn(perspio, refusal({ error: 'invalid_client', codes: [7000222] }));
    expect(advice.actor).toBe('operator');
    expect(advice.remedy).toContain('The grant is kept.');
  });

  it('for missing consent does not speak of expiry', () => {
    const missing = refusal({
      error: 'invalid_grant',
      suberror: 'consent_required',
      codes: [65001],
    });
    expect(adviseOn(perspio, missing)).toMatchObject({
      actor: 'owner',
      cause: 'Consent to the scope asked for is missing. The sign-in has not expired.',
    });
  });

  it('takes the first code that is known', () => {
    const old = refusal({ error: 'invalid_grant', codes: [1, 700082] });
    expect(adviseOn(perspio, old).cause).toContain('not used for 90 days');
  });

  it('follows the suberror where a code names somebody else', () => {
    const blocked = refusal({ error: 'invalid_grant', suberror: 'message_only', codes: [50076] });
    expect(adviseOn(perspio, blocked).actor).toBe('administrator');
  });

  it('falls back to the suberror, then to the error', () => {
    const bad = refusal({ error: 'invalid_grant', suberror: 'bad_token', codes: [1] });
    expect(adviseOn(perspio, bad).cause).toBe('This refresh token is of no use any more.');
    const unknown = refusal({ error: 'invalid_grant', suberror: 'constructor', codes: [1] });
    expect(adviseOn(perspio, unknown).cause).toContain('no longer accepts the grant');
  });

  it.each(['invalid_grant', 'interaction_required', 'login_required', 'consent_required'])(
    '%s concerns the owner',
    (error) => {
      expect(adviseOn(perspio, refusal({ error })).actor).toBe('owner');
    },
  );

  it.each([
    'invalid_client',
    'unauthorized_client',
    'invalid_scope',
    'invalid_resource',
    'invalid_request',
  ])('%s concerns the operator', (error) => {
    expect(adviseOn(perspio, refusal({ error })).actor).toBe('operator');
  });
});

describe('advice on a refusal that nobody knows', () => {
  const generic = findProvider('generic');

  it('names the error', () => {
    expect(adviseOn(generic, refusal({ error: 'out_of_cheese' }))).toMatchObject({
      actor: 'operator',
      cause: 'The server refused with the error out_of_cheese, which is not known here.',
    });
  });

  it('names the status where there is no error', () => {
    expect(adviseOn(generic, refusal({ status: 403 })).cause).toContain('status 403');
    expect(adviseOn(generic, refusal({ status: 429 })).actor).toBe('nobody');
  });
});
