import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { obtainByCode } from '../../../src/authorize/code.ts';
import { discover } from '../../../src/authorize/discovery.ts';
import { generic } from '../../../src/providers/generic.ts';
import { resolveProfile } from '../../../src/providers/profile.ts';
import { systemClock } from '../../../src/system/clock.ts';
import { nodeHttp } from '../../../src/system/node-http.ts';
import { systemRandom } from '../../../src/system/random.ts';
import type { FreshTokens } from '../../support/kept-home.ts';
import { follow } from '../../support/oidc-sign-in.ts';
import type { Authority } from './authority.ts';

const main = new URL('../../support/oidc-provider.process.ts', import.meta.url).pathname;
const CLIENT_ID = 'strict';
const insecureLoopback = true;

/**
 * oidc-provider in a process of its own: a strict server by others, or one with a grace. It is asked by introspection what its tokens are
 * still good for.
 */
export async function oidcAuthority(delays: {
  readonly commitDelayMs: number;
  readonly answerDelayMs: number;
  readonly graceMs?: number;
}): Promise<Authority> {
  const { graceMs } = delays;
  const rotation = graceMs === undefined ? 'single-use' : 'grace';
  // It warns at length that a test's configuration is a test's configuration.
  const child = spawn(process.execPath, ['--no-warnings', main, JSON.stringify(delays)], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const [issuer] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  const isActive = async (token: string): Promise<boolean> => {
    const body = new URLSearchParams({ token, client_id: CLIENT_ID });
    const answer = await fetch(`${issuer}/token/introspection`, { method: 'POST', body });
    return ((await answer.json()) as { active: boolean }).active;
  };
  return {
    begin: {
      provider: 'generic',
      client: { clientId: CLIENT_ID },
      overrides: {
        tokenEndpoint: `${issuer}/token`,
        revocationEndpoint: `${issuer}/token/revocation`,
        insecureLoopback,
        rotation,
        ...(graceMs !== undefined && { graceMs }),
      },
    },
    signIn: () => signIn(issuer),
    async settle() {
      await (await fetch(`${issuer}/settled`)).text();
    },
    honours: isActive,
    accepts: isActive,
    async [Symbol.asyncDispose]() {
      child.stdin.end();
      await once(child, 'close');
    },
  };
}

async function signIn(issuer: string): Promise<FreshTokens> {
  const http = nodeHttp();
  const deps = { clock: systemClock, random: systemRandom, http };
  try {
    const found = await discover(deps, issuer, { insecureLoopback });
    const authorizationParameters = { prompt: 'consent' };
    const { tokens } = await obtainByCode(deps, {
      profile: resolveProfile(generic, { ...found, insecureLoopback, authorizationParameters }),
      clientId: CLIENT_ID,
      authentication: { method: 'none' },
      scopes: ['openid', 'offline_access'],
      redirectUri: 'http://127.0.0.1/callback',
      prompt: { authorize: ({ url }) => follow(url) },
    });
    return {
      refreshToken: tokens.refreshToken?.reveal() ?? '',
      accessToken: tokens.accessToken.reveal(),
      lifeMs: tokens.accessLifeMs ?? 0,
    };
  } finally {
    http.close();
  }
}
