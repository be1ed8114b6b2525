import { count } from '../count.ts';
import { isLegibleOnDisk } from '../disk.ts';
import { signIn } from '../person.ts';
import { NAME, registrationAt } from '../registration.ts';
import type { Scene } from '../scene.ts';

/** A connection begins: a person signs in and consents, once. */
export const signInOnce: Scene = {
  title: 'A person signs in, once',
  async play(world) {
    const { emulator, signal } = world;
    const addresses: URL[] = [];
    const connection = await (
      await world.keeper()
    ).connect(NAME, {
      ...registrationAt(emulator),
      prompt: {
        authorize({ url }) {
          addresses.push(new URL(url));
          return signIn(url, signal);
        },
      },
      signal,
    });
    const { value } = await connection.token();
    await world.forget();
    const isLegible = await isLegibleOnDisk(world.home, value);
    const stored = (await world.keeper()).connection(NAME);
    const { state, hasRefreshToken } = await stored.status();
    const asked = addresses[0]?.searchParams;
    const redirect = URL.parse(asked?.get('redirect_uri') ?? '');
    const codes = emulator.ledger.entries({ grantType: 'authorization_code' });
    return {
      counted: `${count(codes.length, 'code')} exchanged, with PKCE, by a redirect to this machine; the connection is on disk, sealed`,
      claims: {
        'one code was exchanged': codes.length === 1 && codes[0]?.outcome === 'issued',
        'PKCE was used': asked?.get('code_challenge_method') === 'S256',
        'the redirect led to this machine': redirect?.hostname === 'localhost',
        'the person filled in the form': emulator.ledger.count({ endpoint: 'sign-in' }) === 1,
        'the connection is on disk': state === 'active' && hasRefreshToken,
        'the disk holds the token that came': (await stored.token()).value === value,
        'nobody can read it there': !isLegible,
      },
    };
  },
};
