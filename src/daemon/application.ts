import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import * as z from 'zod';
import { ConfigurationError, EvergrantError } from '../errors.ts';
import type { Clock } from '../system/clock.ts';
import type { Log } from '../system/log.ts';
import { enter, type GateParts } from './access/gate.ts';
import {
  problemHeaders,
  problemOf,
  PROBLEM_TYPE,
  requestProblem,
  type Problem,
} from './api/problem.ts';
import { faultsOf } from './api/faults.ts';
import type { Call, Route } from './api/route.ts';
import { Router } from './api/router.ts';
import { answerText, toJson } from './http/answer.ts';
import { readJson } from './http/body.ts';
import type { Hosts } from './http/hosts.ts';
import { shapeRefusal } from './http/shape.ts';
import { HeardCall } from './heard-call.ts';
import type { Standings } from './standing.ts';

/*
 * From a request to its answer, the same way for every route: shape, route, caller, body, work.
 */

/** What the application works with. */
export interface ApplicationParts {
  /** All routes. */
  readonly routes: readonly Route[];
  /** Who comes in. */
  readonly gate: GateParts;
  /** Whether those who were let in may still be told. */
  readonly standings: Standings;
  /** Time. */
  readonly clock: Clock;
  /** Where faults are told. */
  readonly log: Log;
  /** Called after each answer. */
  observe(operation: string, status: number, tookMs: number): void;
  /** Checks answers against their schemas; for tests. */
  readonly checkAnswers?: boolean;
}

/** Where a request came in. */
export interface Origin {
  /** Names of the listener. */
  readonly hosts: Hosts;
  /** Whether it is the owner's socket. */
  readonly isOwners: boolean;
}

/** Answers one request. Never rejects. */
export type Application = (
  request: IncomingMessage,
  response: ServerResponse,
  origin: Origin,
) => Promise<void>;

/** What is counted when the caller went away before there was a head; nobody is sent it. */
const CALLER_GONE = 499;

/** Joins routes, gate and messages. */
export function createApplication(parts: ApplicationParts): Application {
  const router = new Router(parts.routes);
  const condemned = new WeakSet<Socket>();
  return async (request, response, origin) => {
    // What was pipelined behind a message that was misunderstood.
    if (condemned.has(request.socket)) return;
    const began = parts.clock.monotonic();
    const refusal = shapeRefusal(request, origin.hosts);
    let operation = 'none';
    if (refusal === undefined) {
      operation = await serve(parts, router, request, response, origin);
    } else {
      // What follows on a connection that was misunderstood once is not believed either.
      condemned.add(request.socket);
      refuse(parts, response, requestProblem(refusal.status, refusal.detail), true);
    }
    const status = response.headersSent ? response.statusCode : CALLER_GONE;
    parts.observe(operation, status, parts.clock.monotonic() - began);
  };
}

async function serve(
  parts: ApplicationParts,
  router: Router,
  request: IncomingMessage,
  response: ServerResponse,
  { isOwners }: Origin,
): Promise<string> {
  const { method = '', url = '' } = request;
  const [path = '', query = ''] = splitOnce(url, '?');
  const found = router.find(method, path);
  if (found === undefined || 'methods' in found) {
    refuse(parts, response, unknownAddress(found?.methods), hasBody(request), found?.methods);
    return 'none';
  }
  const { route, params } = found;
  try {
    const { access, operation: what } = route;
    const connection = params['name'];
    const entry = { access, what, connection, request, response, isOwners };
    const caller = await enter(parts.gate, entry);
    const isForeign = 'isQueryForeign' in route && route.isQueryForeign;
    const given = isForeign ? {} : readQuery(query);
    const checked = check(route.query, given, 'the query');
    const heard = { caller, params, query: checked, request, response };
    await tell(parts, route, new HeardCall(heard, parts.standings));
  } catch (error) {
    fail(parts, route.operation, { request, response }, error);
  }
  return route.operation;
}

/** Whoever waited and is good no more is told neither what came of it nor why nothing did. */
async function tell(parts: ApplicationParts, route: Route, call: HeardCall): Promise<void> {
  try {
    await run(parts, route, call);
  } catch (error) {
    if (call.hasWaited) parts.standings.check(call);
    throw error;
  } finally {
    call.end();
  }
}

async function run(parts: ApplicationParts, route: Route, call: HeardCall): Promise<void> {
  if ('stream' in route) return route.stream(call);
  if (route.body !== undefined) {
    call.body = check(route.body, await readJson(call.request, parts.clock), 'the body');
    // It may have taken its time.
    parts.standings.check(call);
  }
  const answer = await route.handle(call);
  if (call.hasWaited) parts.standings.check(call);
  const text = toJson(answer ?? {});
  if (parts.checkAnswers === true) route.answer.parse(JSON.parse(text));
  const isUnread = route.body === undefined && hasBody(call.request);
  answerText(call.response, { status: 200, headers: isUnread ? CLOSE : {} }, text);
}

const CLOSE = { connection: 'close' } as const;

/** A body that nobody reads must not be taken for the next request. */
function hasBody({ headers, method }: IncomingMessage): boolean {
  if (method === 'GET' || method === 'HEAD') return false;
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';
}

function fail(
  parts: ApplicationParts,
  operation: string,
  { request, response }: Pick<Call, 'request' | 'response'>,
  error: unknown,
): void {
  if (response.destroyed || request.socket.destroyed) return;
  if (response.headersSent) {
    parts.log.warn('an answer broke off', { operation, reason: reasonOf(error) });
    response.destroy();
    return;
  }
  if (!(error instanceof EvergrantError))
    parts.log.warn('unexpected fault; please report it', { reason: reasonOf(error) });
  refuse(parts, response, problemOf(error), !request.complete && hasBody(request));
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error instanceof EvergrantError ? error.message : (error.stack ?? error.message);
}

function refuse(
  { clock }: ApplicationParts,
  response: ServerResponse,
  problem: Problem,
  isLast: boolean,
  methods?: readonly string[],
): void {
  const headers = {
    ...problemHeaders(problem, clock.now()),
    'evergrant-error': problem.code,
    ...(isLast && CLOSE),
    ...(methods !== undefined && { allow: methods.join(', ') }),
  };
  answerText(response, { status: problem.status, type: PROBLEM_TYPE, headers }, toJson(problem));
}

function unknownAddress(methods: readonly string[] | undefined): Problem {
  if (methods === undefined)
    return requestProblem(404, 'there is nothing at this address; /v1/openapi.json lists all');
  return requestProblem(405, `this address takes ${methods.join(', ')} alone`);
}

/** Each name once, so that nobody can hide one value behind another. */
function readQuery(query: string): Record<string, string> {
  const found: Record<string, string> = Object.create(null) as Record<string, string>;
  if (query === '') return found;
  for (const [name, value] of new URLSearchParams(query)) {
    if (name in found)
      throw new ConfigurationError('ERR_ARGUMENT', 'the query names something twice');
    found[name] = value;
  }
  return found;
}

const NOTHING = z.strictObject({});

function check(schema: z.ZodType | undefined, value: unknown, what: string): unknown {
  const result = (schema ?? NOTHING).safeParse(value);
  if (result.success) return result.data;
  const faults = faultsOf(result.error.issues).join('; ');
  throw new ConfigurationError('ERR_ARGUMENT', `${what} is wrong: ${faults}`);
}

function splitOnce(text: string, mark: string): readonly string[] {
  const at = text.indexOf(mark);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}
