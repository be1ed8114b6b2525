import { chmodSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { openHome } from '../../src/keeper.ts';
import { fakeHttp } from '../support/fake-http.ts';

/*
 * All that happens to a home, under a umask that takes nothing away: it is made, a connection is added and refreshed, the keys are renewed, a
 * backup is made, and it is opened again.
 */

const [home = '', loose] = process.argv.slice(2);
process.umask(0);

const answer = {
  access_token: 'at-2',
  token_type: 'Bearer',
  expires_in: 3_600,
  refresh_token: 'rt-2',
};
for (const round of ['first', 'second']) {
  const { keeper, store } = await openHome({ home, http: fakeHttp(() => ({ json: answer })) });
  const connection = await keeper.add(round, {
    provider: 'generic',
    client: { clientId: 'c', clientSecret: 's' },
    overrides: { tokenEndpoint: 'https://as.example/token', rotation: 'single-use' },
    tokens: { refreshToken: 'rt-1' },
  });
  await connection.token();
  await connection.refresh();
  await store.rotateDataKey();
  await store.backup(path.join(home, `${round}.backup.db`));
  await keeper.close();
}
if (loose !== undefined) {
  writeFileSync(path.join(home, 'loose'), '');
  chmodSync(path.join(home, 'loose'), 0o600);
}
