/*
 * Writes docs/openapi.json from the schemas that check the daemon's requests; `npm run openapi` runs it. A test compares the two.
 */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { format, resolveConfig } from 'prettier';
import { openApiOf } from '../src/daemon/api/openapi.ts';
import type { DaemonParts } from '../src/daemon/parts.ts';
import { allRoutes } from '../src/daemon/routes/routes.ts';

const target = path.resolve(import.meta.dirname, '../docs/openapi.json');

// Routes are data: making them uses none of these.
const routes = allRoutes({} as DaemonParts);
const config = (await resolveConfig(target)) ?? {};
writeFileSync(
  target,
  await format(JSON.stringify(openApiOf(routes)), { ...config, filepath: target }),
);
