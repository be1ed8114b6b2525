import { readFile, writeFile } from 'node:fs/promises';
import type { Contender, RivalOptions } from '../contender.ts';
import { simpleContender, type Saved } from './shared-flight.ts';

/** What anybody writes first: `fetch`, and a JSON file that is written in place. */
export function naiveFile({ file, tokenEndpoint, clientId }: RivalOptions): Contender {
  return simpleContender({
    read: async () => JSON.parse(await readFile(file, 'utf8')) as Saved,
    write: (saved) => writeFile(file, JSON.stringify(saved)),
    async renew(refreshToken) {
      const response = await fetch(tokenEndpoint, {
        method: 'POST',
        body: new URLSearchParams({
          grant_type: 'refresh_token',
          refresh_token: refreshToken,
          client_id: clientId,
        }),
      });
      const answer = (await response.json()) as {
        access_token: string;
        refresh_token?: string;
        expires_in: number;
        error?: string;
      };
      if (!response.ok) throw new Error(answer.error);
      return {
        accessToken: answer.access_token,
        refreshToken: answer.refresh_token ?? refreshToken,
        expiresAt: Date.now() + answer.expires_in * 1000,
      };
    },
  });
}
