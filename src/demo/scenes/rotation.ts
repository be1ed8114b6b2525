import { NAME } from '../registration.ts';
import type { Scene } from '../scene.ts';

/** Each refresh brings a new refresh token, and it is that one which the next refresh uses. */
export const rotate: Scene = {
  title: 'The token is refreshed, twice',
  async play(world) {
    const { ledger } = world.emulator;
    const connection = (await world.keeper()).connection(NAME);
    const before = await connection.token();
    await connection.refresh({ signal: world.signal });
    // What the second refresh presents can only have come from the disk.
    await world.forget();
    const reopened = (await world.keeper()).connection(NAME);
    await reopened.refresh({ signal: world.signal });
    const after = await reopened.token();
    const [code] = ledger.entries({ grantType: 'authorization_code' });
    const [first, second, ...more] = ledger.entries({ grantType: 'refresh_token' });
    const chain = [code?.issuedFingerprint, first?.issuedFingerprint, second?.issuedFingerprint];
    const { life, status } = await reopened.explain();
    const stored = new Set(life.map(({ fingerprint }) => fingerprint));
    return {
      counted: `refresh token ${chain.map((print) => (print ?? 'none').slice(0, 6)).join(' → ')}, each stored in place of the last`,
      claims: {
        'two requests were made': second !== undefined && more.length === 0,
        'the first presented the token of the sign-in': first?.presentedFingerprint === chain[0],
        'the second presented the token of the first': second?.presentedFingerprint === chain[1],
        'three refresh tokens were issued': new Set(chain).size === 3 && !chain.includes(undefined),
        'three were stored, one after the other': stored.size === 3 && status.generation === 3,
        'the access token is a new one that works':
          after.value !== before.value && world.emulator.isAccessTokenAlive(after.value),
      },
    };
  },
};
