import * as z from 'zod';
import { VERSION } from '../../system/version.ts';
import { PROBLEM_TYPE } from './problem.ts';
import type { Route } from './route.ts';
import { problem } from './schemas.ts';

/** An OpenAPI 3.1 document, as plain data. */
export type OpenApi = Readonly<Record<string, unknown>>;

const INFO = {
  title: 'evergrant',
  version: VERSION,
  description:
    'The local API of evergrant serve. On the Unix socket its owner needs no key; over TCP every call does, as a bearer token. Instants are epoch milliseconds; what is not known is null.',
};

/** Describes routes by the schemas that check their requests. */
export function openApiOf(routes: readonly Route[]): OpenApi {
  const schemas: Record<string, unknown> = {};
  const paths: Record<string, Record<string, unknown>> = {};
  const convert = (schema: z.ZodType, io: 'input' | 'output'): unknown => {
    const {
      $schema: _s,
      $defs,
      ...rest
    } = z.toJSONSchema(schema, {
      io,
      target: 'draft-2020-12',
      unrepresentable: 'any',
    }) as Readonly<Record<string, unknown>>;
    for (const [name, one] of Object.entries($defs ?? {})) schemas[name] = relinked(one);
    return relinked(rest);
  };
  const problemRef = convert(z.strictObject({ problem }), 'output') && {
    $ref: '#/components/schemas/Problem',
  };
  for (const route of routes) {
    // What an API takes and gives is not ours to describe.
    if (route.path.endsWith('{*}')) continue;
    paths[route.path] = {
      ...paths[route.path],
      [route.method.toLowerCase()]: operation(route, convert, problemRef),
    };
  }
  return {
    openapi: '3.1.0',
    info: INFO,
    paths,
    components: {
      schemas: sorted(schemas),
      securitySchemes: { key: { type: 'http', scheme: 'bearer' } },
    },
    security: [{ key: [] }, {}],
  };
}

type Convert = (schema: z.ZodType, io: 'input' | 'output') => unknown;

function operation(route: Route, convert: Convert, problemRef: unknown): unknown {
  const names = [...route.path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
  const inPath = names.map((name) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
  const parameters = [...inPath, ...queryParameters(route, convert)];
  const isJson = !('stream' in route);
  const schema = isJson ? { schema: convert(route.answer, 'output') } : {};
  return {
    operationId: route.operation,
    summary: route.summary,
    ...(typeof route.access === 'object' && {
      'x-evergrant-verb': route.access.verb,
      'x-evergrant-reach': route.access.reach,
    }),
    ...(route.access === 'anyone' && { security: [] }),
    ...(parameters.length > 0 && { parameters }),
    ...(isJson &&
      route.body !== undefined && {
        requestBody: { content: { 'application/json': { schema: convert(route.body, 'input') } } },
      }),
    responses: {
      200: {
        description: 'done',
        content: { [isJson ? 'application/json' : route.type]: schema },
      },
      default: { description: 'a problem', content: { [PROBLEM_TYPE]: { schema: problemRef } } },
    },
  };
}

function queryParameters(route: Route, convert: Convert): readonly unknown[] {
  if (route.query === undefined) return [];
  const { properties = {} } = convert(route.query, 'input') as {
    readonly properties?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  };
  return Object.entries(properties).map(([name, { description, ...schema }]) => ({
    name,
    in: 'query',
    ...(description !== undefined && { description }),
    schema,
  }));
}

/** References within the document, where all named schemas lie in one place. */
function relinked(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value).replaceAll('"#/$defs/', '"#/components/schemas/'),
  ) as unknown;
}

function sorted(members: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(members).sort(([a], [b]) => (a < b ? -1 : 1)));
}
