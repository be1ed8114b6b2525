import type * as oauth4webapi from 'oauth4webapi';
import { AuthorizationRequiredError } from '../errors.ts';
import type { ConsentPrompt } from '../keeper-api.ts';
import { authorizationCodeGrant } from '../oauth/grants.ts';
import { Secret } from '../secret.ts';
import {
  authorizationUrl,
  newAttempt,
  requireAuthorizationEndpoint,
  type Attempt,
} from './authorization-request.ts';
import { judgeCallback, type Callback } from './callback.ts';
import { signInError } from './failure.ts';
import { readIdToken } from './id-token.ts';
import { listenOnLoopback, type Accept, type LoopbackListener } from './loopback.ts';
import {
  describeObtained,
  type AuthorizeDeps,
  type Obtained,
  type ObtainRequest,
} from './obtained.ts';
import { checkReceived, planRedirect } from './redirect-uri.ts';
import { requestTokens } from './token-request.ts';
import { firstOf } from './wait.ts';

/** A sign-in by browser. */
export interface CodeRequest extends ObtainRequest {
  /** How the person is asked. */
  readonly prompt: ConsentPrompt;
  /** Port of the listener; any free one by default. */
  readonly redirectPort?: number | undefined;
  /** The redirect URI as registered, when it has a path or a port; its host must be loopback. */
  readonly redirectUri?: string | undefined;
  /** The account expected, which the server may preselect. */
  readonly loginHint?: string | undefined;
}

/** A code and the redirect URI it is bound to. */
interface ReceivedCode {
  readonly code: Secret;
  readonly redirectUri: string;
}

/** Nobody needs longer to sign in, and a forgotten attempt must not listen for ever. */
const LONGEST_SIGN_IN_MS = 900_000;

/**
 * Obtains tokens by a sign-in in the browser: authorization code with PKCE (S256), answered to a loopback address or by pasting the
 * address where the browser ended. The code is redeemed once.
 *
 * @throws {@link AuthorizationRequiredError} `ERR_AUTHORIZATION_DENIED` or `ERR_AUTHORIZATION_FAILED` when the person or the server
 * refuses, or nobody answers within 15 minutes.
 * @throws {@link OutcomeUncertainError} when the answer to the code was lost.
 * @throws {@link ClientRejectedError} when the client or the request is refused.
 * @throws {@link ServerUnavailableError} when the server cannot be used now.
 * @throws {@link ConfigurationError} when the redirect cannot be listened for.
 * @see RFC 6749 section 4.1, RFC 7636 and RFC 8252
 */
export async function obtainByCode(deps: AuthorizeDeps, request: CodeRequest): Promise<Obtained> {
  deps.signal?.throwIfAborted();
  requireAuthorizationEndpoint(request.profile);
  const listen = plannedListener(request);
  const oauth = await import('oauth4webapi');
  const attempt = newAttempt(deps.random, request.scopes);
  const received = await receiveCode(oauth, deps, request, attempt, listen);
  return redeem(deps, request, attempt, received);
}

/** Something that waits for one redirect. */
type Listen = (accept: Accept) => Promise<LoopbackListener>;

/** How the redirect is waited for. @throws as {@link planRedirect} and {@link checkReceived} */
function plannedListener(request: CodeRequest): Listen {
  const { receiver } = request.prompt;
  if (receiver === undefined) {
    const redirect = planRedirect(request.profile.loopbackHost, request);
    return (accept) => listenOnLoopback(redirect, accept);
  }
  const redirectUri = checkReceived(receiver.uri);
  return async (accept) => {
    let isOver = false;
    receiver.listen((parameters) => {
      if (isOver || !accept(parameters)) return false;
      isOver = true;
      return true;
    });
    return {
      redirectUri,
      async [Symbol.asyncDispose]() {
        isOver = true;
      },
    };
  };
}

async function receiveCode(
  oauth: typeof oauth4webapi,
  deps: AuthorizeDeps,
  request: CodeRequest,
  attempt: Attempt,
  listen: Listen,
): Promise<ReceivedCode> {
  const judge = (parameters: URLSearchParams): Callback =>
    judgeCallback(
      oauth,
      {
        clientId: request.clientId,
        state: attempt.state,
        issuer: request.profile.issuer,
        issRequired: request.profile.authorizationResponseIss ?? false,
      },
      parameters,
    );
  const answer = Promise.withResolvers<Callback>();
  await using listener = await listen((parameters) => {
    const callback = judge(parameters);
    if (callback.kind === 'foreign') return false;
    answer.resolve(callback);
    return true;
  });
  const { redirectUri } = listener;
  const url = await authorizationUrl(oauth, deps, request, attempt, redirectUri);
  const callback = await firstOf(
    deps,
    { limitMs: LONGEST_SIGN_IN_MS, onLimit: nobodyAnswered },
    (signal) => [
      answer.promise,
      pasted(request.prompt, redirectUri, judge, signal),
      shown(request.prompt, url, redirectUri),
    ],
  );
  if (callback.kind === 'code') return { code: callback.code, redirectUri };
  throw callback.kind === 'failed' ? callback.error : foreignPaste();
}

/** Shows the address, then leaves the decision to the others; only a failure to show it ends the wait. */
async function shown(prompt: ConsentPrompt, url: string, redirectUri: string): Promise<never> {
  await prompt.authorize({ url, redirectUri });
  return new Promise<never>(() => undefined);
}

async function pasted(
  prompt: ConsentPrompt,
  redirectUri: string,
  judge: (parameters: URLSearchParams) => Callback,
  signal: AbortSignal,
): Promise<Callback> {
  if (prompt.pastedRedirect === undefined) return new Promise<never>(() => undefined);
  const url = URL.parse((await prompt.pastedRedirect(signal)).trim());
  const awaited = new URL(redirectUri);
  const isOurs = url?.origin === awaited.origin && url.pathname === awaited.pathname;
  return isOurs ? judge(url.searchParams) : { kind: 'foreign' };
}

async function redeem(
  deps: AuthorizeDeps,
  request: CodeRequest,
  attempt: Attempt,
  { code, redirectUri }: ReceivedCode,
): Promise<Obtained> {
  const codeVerifier = new Secret(attempt.codeVerifier);
  const parameters = authorizationCodeGrant({ code, redirectUri, codeVerifier });
  const { outcome, sentAt } = await requestTokens(deps, request, parameters);
  if (outcome.kind !== 'refreshed') throw signInError(outcome, deps.clock.now());
  const { tokens } = outcome;
  const { profile, clientId, scopes: requested } = request;
  const expected = { profile, clientId, nonce: attempt.nonce };
  const { subject, warnings } = await readIdToken(deps, expected, tokens.idToken);
  return describeObtained({
    beginning: 'authorization_code',
    tokens,
    sentAt,
    requested,
    subject,
    warnings,
  });
}

function foreignPaste(): AuthorizationRequiredError {
  return new AuthorizationRequiredError(
    'ERR_AUTHORIZATION_FAILED',
    'the pasted address does not belong to this sign-in; start over and paste the whole address at which the browser ended',
  );
}

function nobodyAnswered(): AuthorizationRequiredError {
  return new AuthorizationRequiredError(
    'ERR_AUTHORIZATION_FAILED',
    'nobody signed in within 15 minutes; start over',
  );
}
