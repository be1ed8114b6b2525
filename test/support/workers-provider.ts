import type { IncomingMessage, ServerResponse } from 'node:http';
import { registerHooks } from 'node:module';
import type { OAuthHelpers, OAuthProviderOptions } from '@cloudflare/workers-oauth-provider';
import { bodyOf, startApi, type ApiServer } from './api-server.ts';

/** An authorization server and its API, in this process; the protocol is that of `@cloudflare/workers-oauth-provider`. */
export interface WorkersProvider extends AsyncDisposable {
  /** Its issuer, and the origin of its API. */
  readonly issuer: string;
  /** Where the API is, which welcomes every token that is good there. */
  readonly api: string;
  /** Requests as they came, oldest first. */
  readonly seen: ApiServer['seen'];
  /** What its administrator can do. */
  readonly admin: OAuthHelpers;
  /** What the person who signs in grants of the scopes asked for; at first all, `undefined` declines. */
  grants: (scopes: string[]) => string[] | undefined;
  /** Carries out the next token request, and ends the connection in place of an answer. */
  loseNextAnswer(): void;
  /** The next token that its storage is to hold comes too soon after the last write. */
  throttleNextToken(): void;
}

/** What the library finds of the platform that it was written for. */
interface Env {
  readonly OAUTH_KV: Namespace;
}

/** Starts one on a loopback port. */
export async function startWorkersProvider(): Promise<WorkersProvider> {
  const { OAuthProvider, getOAuthApi, authorizationErrorRedirect } = await loadLibrary();
  const namespace = new Namespace();
  const env: Env = { OAUTH_KV: namespace };
  let isAnswerLost = false;
  const listener = await startApi(async (asked, answer) => {
    const response = await provider.fetch(await requestOf(asked, listener.origin), env, {});
    if (!isAnswerLost || asked.method !== 'POST') return send(response, answer);
    isAnswerLost = false;
    answer.destroy();
  });
  const api = `${listener.origin}/api`;
  const options: OAuthProviderOptions<Env> = {
    authorizeEndpoint: '/authorize',
    tokenEndpoint: '/token',
    apiRoute: '/api',
    apiHandler: { fetch: () => new Response('welcome') },
    defaultHandler: { fetch: authorize },
    resourceMetadata: { resource: api },
    // Every refusal would be a warning.
    onError: () => undefined,
  };
  const provider = new OAuthProvider(options);
  const admin = getOAuthApi(options, env);
  const served: WorkersProvider = {
    issuer: listener.origin,
    api,
    seen: listener.seen,
    admin,
    grants: (scopes) => scopes,
    loseNextAnswer() {
      isAnswerLost = true;
    },
    throttleNextToken() {
      namespace.isTokenThrottled = true;
    },
    [Symbol.asyncDispose]: () => listener[Symbol.asyncDispose](),
  };
  return served;

  async function authorize(asked: Request): Promise<Response> {
    // All that the library does not answer comes here.
    if (new URL(asked.url).pathname !== '/authorize') return new Response(null, { status: 404 });
    const request = await admin.parseAuthRequest(asked);
    const scope = served.grants(request.scope);
    if (scope === undefined) {
      return Response.redirect(authorizationErrorRedirect(request, 'access_denied'));
    }
    const grant = { request, scope, userId: 'alice', metadata: {}, props: {} };
    return Response.redirect((await admin.completeAuthorization(grant)).redirectTo);
  }
}

/** The one thing it imports of its platform is a class that nobody extends here. */
async function loadLibrary(): Promise<typeof import('@cloudflare/workers-oauth-provider')> {
  const hooks = registerHooks({
    resolve: (specifier, context, next) =>
      specifier === 'cloudflare:workers'
        ? { url: 'data:text/javascript,export class WorkerEntrypoint {}', shortCircuit: true }
        : next(specifier, context),
  });
  try {
    return await import('@cloudflare/workers-oauth-provider');
  } finally {
    hooks.deregister();
  }
}

async function requestOf(asked: IncomingMessage, origin: string): Promise<Request> {
  const { method = 'GET' } = asked;
  return new Request(`${origin}${asked.url ?? '/'}`, {
    method,
    headers: asked.headers as Record<string, string>,
    body: method === 'POST' ? await bodyOf(asked) : null,
  });
}

async function send(response: Response, answer: ServerResponse): Promise<void> {
  answer.writeHead(response.status, Object.fromEntries(response.headers));
  answer.end(await response.text());
}

/** The platform's storage in memory: texts by name, each with what `list` tells of it. */
class Namespace {
  readonly #kept = new Map<string, { readonly value: string; readonly metadata: unknown }>();
  isTokenThrottled = false;

  get(name: string): Promise<unknown> {
    const found = this.#kept.get(name);
    return Promise.resolve(found === undefined ? null : JSON.parse(found.value));
  }

  async put(name: string, value: string, options?: { readonly metadata?: unknown }): Promise<void> {
    if (this.isTokenThrottled && name.startsWith('token:')) {
      this.isTokenThrottled = false;
      throw new Error('KV PUT failed: 429 Too Many Requests');
    }
    this.#kept.set(name, { value, metadata: options?.metadata });
  }

  delete(name: string): Promise<void> {
    this.#kept.delete(name);
    return Promise.resolve();
  }

  list({ prefix }: { readonly prefix: string }): Promise<object> {
    const kept = [...this.#kept].filter(([name]) => name.startsWith(prefix));
    const keys = kept.map(([name, { metadata }]) => ({ name, metadata }));
    return Promise.resolve({ keys, list_complete: true });
  }
}
