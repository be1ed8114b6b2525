import { clientCredentialsGrant } from '../oauth/grants.ts';
import { outcomeError } from '../oauth/outcome-error.ts';
import {
  describeObtained,
  type AuthorizeDeps,
  type Obtained,
  type ObtainRequest,
} from './obtained.ts';
import { requestTokens } from './token-request.ts';

/**
 * Obtains an access token for the client itself. A refresh token that comes along is dropped: one asks again instead.
 *
 * @throws {@link ClientRejectedError} when the client or the request is refused.
 * @throws {@link ServerUnavailableError} when the server cannot be used now.
 * @throws {@link ResponseInvalidError} when the answer is no token response.
 * @see RFC 6749 section 4.4
 */
export async function obtainByClientCredentials(
  deps: AuthorizeDeps,
  request: ObtainRequest,
): Promise<Obtained> {
  const parameters = clientCredentialsGrant({ scope: request.scopes });
  const { outcome, sentAt } = await requestTokens(deps, request, parameters);
  if (outcome.kind !== 'refreshed') {
    throw outcomeError(outcome, { nowMs: deps.clock.now(), isHarmless: true });
  }
  const { tokens } = outcome;
  return describeObtained({
    beginning: 'client_credentials',
    tokens: { ...tokens, refreshToken: undefined, refreshLifeMs: undefined },
    sentAt,
    requested: request.scopes,
    subject: undefined,
    warnings:
      tokens.refreshToken === undefined
        ? []
        : [
            'a refresh token came with client credentials; it was dropped, a new token is asked for instead',
          ],
  });
}
