import * as z from 'zod';
import { openApiOf } from '../api/openapi.ts';
import { jsonRoute, type Route } from '../api/route.ts';
import type { DaemonParts } from '../parts.ts';
import { glanceRoutes } from '../browser/glance-routes.ts';
import { pageRoutes } from '../browser/pages.ts';
import { signInRoutes } from '../browser/sign-in.ts';
import { linkRoutes } from '../links/routes.ts';
import { actionRoutes } from './actions.ts';
import { beginRoutes } from './begin.ts';
import { clientRoutes } from './clients.ts';
import { connectionRoutes } from './connections.ts';
import { deadLetterRoutes } from './dead-letters.ts';
import { dueRoutes } from './due.ts';
import { eventRoutes } from './events.ts';
import { healthRoutes } from './health.ts';
import { metricsRoutes } from './metrics.ts';
import { proxyRoutes } from './proxy.ts';
import { tokenRoutes } from './token.ts';

/** Every resource; a new one is a file and a line here. */
const RESOURCES: readonly ((parts: DaemonParts) => readonly Route[])[] = [
  healthRoutes,
  tokenRoutes,
  connectionRoutes,
  actionRoutes,
  beginRoutes,
  linkRoutes,
  clientRoutes,
  dueRoutes,
  signInRoutes,
  glanceRoutes,
  pageRoutes,
  eventRoutes,
  deadLetterRoutes,
  metricsRoutes,
  proxyRoutes,
];

/** All routes, the one that describes them included. */
export function allRoutes(parts: DaemonParts): readonly Route[] {
  const routes: Route[] = RESOURCES.flatMap((resource) => resource(parts));
  let document: unknown;
  routes.push(
    jsonRoute({
      method: 'GET',
      path: '/v1/openapi.json',
      operation: 'describe',
      summary: 'This description',
      access: 'caller',
      answer: z.record(z.string(), z.unknown()),
      handle: async () => (document ??= openApiOf(routes)),
    }),
  );
  return routes;
}
