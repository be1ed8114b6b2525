import { entra } from './entra.ts';
import type { Provider } from './provider.ts';

/** Perspio: its own Entra tenant, the same for all its customers, and the API PerspioTalk behind Azure API Management. */
export const perspio: Provider = {
  ...entra,
  name: 'perspio',
  title: 'Perspio (PerspioTalk)',
  documentation: 'https://developers.perspio.io/reference/refresh-access-token',
  entraTenantId: '7d548d61-6361-4a6e-85e6-509e2c05d05e',
  scopes: {
    authorization: ['api://perspiotalk/access_as_user', 'offline_access', 'openid', 'profile'],
    // Its documentation asks for another scope here than at sign-in; Entra grants it where it was consented to.
    refresh: ['api://perspiotalk/all_readwrite', 'offline_access'],
    clientCredentials: ['api://perspiotalk/.default'],
  },
  retryWithGrantedScope: true,
  dialect: { ...entra.dialect, defaultAccessLifeMs: 3_599_000 },
  api: {
    origins: ['https://talk.perspio.io'],
    base: 'https://talk.perspio.io',
    headers: {
      'Ocp-Apim-Subscription-Key': { setting: 'subscriptionKey' },
      tid: { setting: 'perspioTenantId' },
      Accept: { value: 'application/json' },
    },
    limits: [
      { requests: 20, windowMs: 90_000, sharedBy: 'client' },
      { requests: 10_000, windowMs: 3_600_000, sharedBy: 'tenant' },
    ],
  },
};
