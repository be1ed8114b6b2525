import { open, readFile, rename } from 'node:fs/promises';
import * as openid from 'openid-client';
import type { Contender, RivalOptions } from '../contender.ts';
import { simpleContender, type Saved } from './shared-flight.ts';

/** `openid-client` for the request, and a JSON file that is replaced as a whole: synced, then renamed. */
export function openidClientFile(options: RivalOptions): Contender {
  const { file, origin, tokenEndpoint, clientId } = options;
  const server = { issuer: origin, token_endpoint: tokenEndpoint };
  const configuration = new openid.Configuration(server, clientId, undefined, openid.None());
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- deprecated as a warning; the server is on loopback
  openid.allowInsecureRequests(configuration);
  return simpleContender({
    read: async () => JSON.parse(await readFile(file, 'utf8')) as Saved,
    write: (saved) => replace(file, JSON.stringify(saved)),
    async renew(refreshToken) {
      const answer = await openid.refreshTokenGrant(configuration, refreshToken);
      return {
        accessToken: answer.access_token,
        refreshToken: answer.refresh_token ?? refreshToken,
        expiresAt: Date.now() + (answer.expires_in ?? 0) * 1000,
      };
    },
  });
}

async function replace(file: string, content: string): Promise<void> {
  const temporary = `${file}.${String(process.pid)}`;
  const handle = await open(temporary, 'w', 0o600);
  await handle.writeFile(content);
  await handle.sync();
  await handle.close();
  await rename(temporary, file);
}
