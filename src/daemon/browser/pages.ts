import type { ServerResponse } from 'node:http';
import { streamRoute, type Call, type Route } from '../api/route.ts';
import { answerText } from '../http/answer.ts';
import { NotFoundError } from '../../errors.ts';
import type { DaemonParts } from '../parts.ts';
import { loadAssets, type Asset } from './assets.ts';

/*
 * The dashboard's own files. They are the same for everybody and hold nothing of anybody, so they need no session; what they show does.
 */

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

const PAGE = {
  'content-security-policy': POLICY,
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
  // With no-referrer a browser would send `Origin: null` along with what the page asks for.
  'referrer-policy': 'same-origin',
} as const;

/** Names of files carry a digest of what they hold. */
const FOREVER = { 'cache-control': 'public, max-age=31536000, immutable' } as const;

const NOT_BUILT =
  'The dashboard is not built; run npm run build in the folder of evergrant, and load this page again.\n';

/** The page, and what it loads. */
export function pageRoutes({ dashboard }: DaemonParts): readonly Route[] {
  let loaded: ReturnType<typeof loadAssets> | undefined;
  const assets = async (): ReturnType<typeof loadAssets> => {
    const found = await (loaded ??= loadAssets(dashboard));
    if (found === undefined) loaded = undefined;
    return found;
  };
  const shell = async ({ request, response }: Call): Promise<void> => {
    const asset = (await assets())?.get('index.html');
    if (asset === undefined)
      return answerText(response, { status: 503, type: 'text/plain; charset=utf-8' }, NOT_BUILT);
    send(response, asset, request.headers['accept-encoding'], {});
  };
  return [
    page('/', 'page', 'The dashboard', shell),
    page('/sign-in', 'signInPage', 'The dashboard, opened by a link that signs in', shell),
    page('/assets/{file}', 'asset', 'What the dashboard loads', async (call) => {
      const { request, response, params } = call;
      const asset = (await assets())?.get(params['file'] ?? '');
      if (asset === undefined || asset.type.startsWith('text/html'))
        throw new NotFoundError('ERR_ARGUMENT', 'there is no such file');
      send(response, asset, request.headers['accept-encoding'], FOREVER);
    }),
  ];
}

function page(
  path: string,
  operation: string,
  summary: string,
  stream: (call: Call) => Promise<void>,
): Route {
  const head = { method: 'GET', path, operation, summary, access: 'anyone' } as const;
  return streamRoute({ ...head, type: 'text/html', stream });
}

function send(
  response: ServerResponse,
  { type, text, gzip }: Asset,
  accepted: string | string[] | undefined,
  further: Readonly<Record<string, string>>,
): void {
  const headers = { ...PAGE, ...further, vary: 'accept-encoding' };
  if (!/\bgzip\b/.test(String(accepted)))
    return answerText(response, { status: 200, type, headers }, text);
  response.writeHead(200, {
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
    ...headers,
    'content-type': type,
    'content-encoding': 'gzip',
    'content-length': gzip.byteLength,
  });
  response.end(gzip);
}
