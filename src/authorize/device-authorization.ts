import { ConfigurationError, ResponseInvalidError } from '../errors.ts';
import type { DeviceAuthorization } from '../oauth/device-authorization.ts';
import { outcomeError } from '../oauth/outcome-error.ts';
import { cleanText } from '../oauth/refusal.ts';
import { formatScope } from '../oauth/scope.ts';
import { requestDeviceAuthorization } from '../token-endpoint/exchange.ts';
import type { AuthorizeDeps, ObtainRequest } from './obtained.ts';
import { exchangeOptions } from './token-request.ts';

/**
 * Asks for the codes of a sign-in at another device. What people will see is made fit for them, since a server could put anything there.
 *
 * @throws {@link ConfigurationError} when the provider has no device authorization endpoint.
 * @throws {@link EvergrantError} by who must act, when the request fails.
 * @see RFC 8628 sections 3.1 and 3.2
 */
export async function authorizeDevice(
  deps: AuthorizeDeps,
  request: ObtainRequest,
): Promise<Omit<DeviceAuthorization, 'kind'>> {
  const { profile, clientId, authentication } = request;
  const { deviceAuthorizationEndpoint } = profile;
  if (deviceAuthorizationEndpoint === undefined) {
    throw new ConfigurationError(
      'ERR_CONFIGURATION',
      `provider ${profile.name}: deviceAuthorizationEndpoint is missing; give it, or sign in by browser instead`,
    );
  }
  const answer = await requestDeviceAuthorization(
    deps.http,
    {
      tokenEndpoint: deviceAuthorizationEndpoint,
      clientId,
      authentication,
      parameters: { scope: formatScope(request.scopes) },
    },
    exchangeOptions(deps, request),
  );
  if (answer.kind !== 'device_authorization') {
    deps.signal?.throwIfAborted();
    throw outcomeError(answer, { nowMs: deps.clock.now(), isHarmless: true });
  }
  const { deviceCode, lifeMs, intervalMs, verificationUriComplete: complete } = answer;
  return {
    deviceCode,
    lifeMs,
    intervalMs,
    userCode: cleanText(answer.userCode),
    verificationUri: checkWebAddress(answer.verificationUri),
    verificationUriComplete: complete === undefined ? undefined : checkWebAddress(complete),
  };
}

/** Longer than any that a person could use. */
const LONGEST_ADDRESS = 1_000;

/** An address that people are sent to must be one that a browser shows, and nothing else. */
function checkWebAddress(address: string): string {
  const url = URL.parse(address);
  const isWeb = url?.protocol === 'https:' || url?.protocol === 'http:';
  const isClean = url?.username === '' && url.password === '';
  if (isWeb && isClean && url.href.length <= LONGEST_ADDRESS) return url.href;
  throw new ResponseInvalidError(
    'ERR_RESPONSE_INVALID',
    'the server names a verification address that is no web address; tell the operator of the server',
  );
}
