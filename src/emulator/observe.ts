import { readCredentials } from './client-authentication.ts';
import { lookUpRefreshToken } from './server.ts';
import { fingerprint } from './fingerprint.ts';
import type { LedgerFilter } from './ledger-entry.ts';
import type { Exchange } from './http/exchange.ts';
import { readForm, type Form } from './http/form.ts';
import { header, type Request } from './http/request.ts';

/** Writes into the ledger what a request to the token endpoint says of itself, before anything can fail. */
export function observeTokenRequest(exchange: Exchange): void {
  const form = readForm(exchange.request.body);
  exchange.note({
    ...given('grantType', form.get('grant_type')),
    ...given('clientId', clientIdOf(exchange.request, form)),
    ...given('scope', form.get('scope')),
    ...given('claims', form.get('claims')),
    ...observeRefreshToken(exchange, form.get('refresh_token')),
  });
}

/** Writes the request id that the client chose. */
export function observeHeaders({ request, note }: Exchange): void {
  note(given('clientRequestId', header(request, 'client-request-id')));
}

function observeRefreshToken({ server }: Exchange, refreshToken: string | undefined): LedgerFilter {
  if (refreshToken === undefined) return {};
  const presentedFingerprint = fingerprint(refreshToken);
  const known = lookUpRefreshToken(server, refreshToken);
  if (known === undefined) return { presentedFingerprint };
  return {
    presentedFingerprint,
    presentedGeneration: known.generation,
    replay: known.firstUsedAt !== undefined,
    grantId: known.grant.id,
    user: known.grant.username,
  };
}

function clientIdOf(request: Request, form: Form): string | undefined {
  try {
    return readCredentials(request, form).clientId;
  } catch {
    return form.get('client_id');
  }
}

function given<Name extends keyof LedgerFilter>(
  name: Name,
  value: LedgerFilter[Name],
): LedgerFilter {
  return value === undefined ? {} : { [name]: value };
}
