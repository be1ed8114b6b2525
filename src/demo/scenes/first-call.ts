import { API_SETTINGS, NAME } from '../registration.ts';
import type { Scene } from '../scene.ts';

/** The token is used: the API behind its gateway takes it, with the headers that both want. */
export const callTheApi: Scene = {
  title: 'The API, PerspioTalk, is called',
  async play(world) {
    const { ledger } = world.emulator;
    const connection = (await world.keeper()).connection(NAME);
    const answer = await connection.fetch('/assets/v3/', { signal: world.signal });
    const assets = namesOf(answer.ok ? await answer.json() : []);
    const calls = ledger.entries({ endpoint: 'api' });
    const [sent] = world.apiCalls;
    const again = ledger.count({ grantType: 'refresh_token' });
    return {
      counted: `GET /assets/v3/ with key and tid: ${String(answer.status)}, ${assets.join(', ')}`,
      claims: {
        'the API answered 200': answer.status === 200,
        'it sent three assets': assets.length === 3,
        'one call was made': calls.length === 1 && calls[0]?.status === 200,
        'the subscription key was sent':
          sent?.get('Ocp-Apim-Subscription-Key') === API_SETTINGS.subscriptionKey,
        'the tid was sent': sent?.get('tid') === API_SETTINGS.perspioTenantId,
        'no refresh was needed': again === 0,
      },
    };
  },
};

function namesOf(assets: unknown): readonly string[] {
  if (!Array.isArray(assets)) return [];
  return assets.map((asset: unknown) =>
    typeof asset === 'object' && asset !== null && 'name' in asset ? String(asset.name) : '?',
  );
}
