import { signIn } from '../person.ts';
import { NAME, registrationAt } from '../registration.ts';
import type { Scene } from '../scene.ts';

/** A connection begins: a person signs in and consents, once. */
export const signInOnce: Scene = {
  title: 'A person signs in once: authorization code with PKCE, by a redirect to this machine',
  async play(world) {
    const { emulator, signal } = world;
    const addresses: URL[] = [];
    const keeper = await world.keeper();
    await keeper.connect(NAME, {
      ...registrationAt(emulator),
      prompt: {
        async authorize({ url }) {
          addresses.push(new URL(url));
          await signIn(url, signal);
        },
      },
      signal,
    });
    await world.forget();
    const status = await (await world.keeper()).connection(NAME).status();
    const asked = addresses[0]?.searchParams;
    const redirect = URL.parse(asked?.get('redirect_uri') ?? '');
    const codes = emulator.ledger.entries({ grantType: 'authorization_code' });
    return {
      counted: `${String(codes.length)} code exchanged; connection ${NAME} is on disk, sealed`,
      claims: {
        'one code was exchanged': codes.length === 1 && codes[0]?.outcome === 'issued',
        'PKCE was used': asked?.get('code_challenge_method') === 'S256',
        'the redirect led to this machine': redirect?.hostname === 'localhost',
        'the person filled in the form': emulator.ledger.count({ endpoint: 'sign-in' }) === 1,
        'the connection is on disk': status.state === 'active' && status.hasRefreshToken,
        'the account is known': status.account !== undefined,
      },
    };
  },
};
