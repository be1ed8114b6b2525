import {
  PublicClientApplication,
  type AuthenticationResult,
  type ICachePlugin,
  type INetworkModule,
  type NetworkRequestOptions,
  type NetworkResponse,
} from '@azure/msal-node';
import type { FilePersistence, PersistenceCachePlugin } from '@azure/msal-node-extensions';
import type { Contender, RivalOptions } from '../contender.ts';

/*
 * `@azure/msal-node` with the file cache of `@azure/msal-node-extensions`. The door of that package loads a native build that this project
 * does without; the file cache needs none of it and is loaded from its own modules, unchanged.
 */

interface Extensions {
  readonly FilePersistence: typeof FilePersistence;
  readonly PersistenceCachePlugin: typeof PersistenceCachePlugin;
}

const SCOPES = ['api://perspiotalk/access_as_user'];
/** Patience with the lock file: 5 s, so that one which nobody removes is found out in time. */
const LOCK = { retryNumber: 100, retryDelay: 50 };

/** The rival, over its file. */
export async function msalFileCache({ file, origin, clientId }: RivalOptions): Promise<Contender> {
  const secure = origin.replace('http:', 'https:');
  const application = new PublicClientApplication({
    auth: {
      clientId,
      authority: `${secure}/7d548d61-6361-4a6e-85e6-509e2c05d05e`,
      knownAuthorities: [new URL(origin).host],
    },
    system: { networkClient: plainNetwork(origin, secure) },
    cache: { cachePlugin: await cachePlugin(file) },
  });
  const silent = async (forceRefresh: boolean): Promise<string> => {
    const [account] = await application.getTokenCache().getAllAccounts();
    if (account === undefined) throw new Error('no account in the cache');
    return tokenOf(await application.acquireTokenSilent({ account, scopes: SCOPES, forceRefresh }));
  };
  return {
    async seed(refreshToken) {
      await application.acquireTokenByRefreshToken({
        refreshToken,
        scopes: SCOPES,
        forceCache: true,
      });
    },
    token: () => silent(false),
    refresh: () => silent(true),
  };
}

function tokenOf({ accessToken }: AuthenticationResult): string {
  return accessToken;
}

async function cachePlugin(file: string): Promise<ICachePlugin> {
  const modules = '../../../node_modules/@azure/msal-node-extensions/dist/persistence';
  const load = async (name: string): Promise<Extensions> =>
    (await import(new URL(`${modules}/${name}.mjs`, import.meta.url).href)) as Extensions;
  const { FilePersistence } = await load('FilePersistence');
  const { PersistenceCachePlugin } = await load('PersistenceCachePlugin');
  return new PersistenceCachePlugin(await FilePersistence.create(file), LOCK);
}

/** MSAL speaks to nothing but https; the emulator of the experiments is spared the encryption. */
function plainNetwork(origin: string, secure: string): INetworkModule {
  const send = async <Body>(
    url: string,
    method: string,
    { headers = {}, body }: NetworkRequestOptions = {},
  ): Promise<NetworkResponse<Body>> => {
    const request = { method, headers, ...(body !== undefined && { body }) };
    const response = await fetch(url.replace(secure, origin), request);
    const text = (await response.text()).replaceAll(origin, secure);
    return {
      status: response.status,
      headers: Object.fromEntries(response.headers),
      body: JSON.parse(text) as Body,
    };
  };
  return {
    sendGetRequestAsync: (url, options) => send(url, 'GET', options),
    sendPostRequestAsync: (url, options) => send(url, 'POST', options),
  };
}
