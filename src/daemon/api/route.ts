import type { IncomingMessage, ServerResponse } from 'node:http';
import type * as z from 'zod';
import type { Access } from '../access/gate.ts';
import type { Caller } from '../access/caller.ts';

/*
 * A route as data: who may call it, what it takes and gives. The same schemas check requests and make the OpenAPI document.
 */

/** A request that was let in, as a route sees it. */
export interface Call<Q = unknown, B = unknown> {
  /** Who calls. */
  readonly caller: Caller;
  /** What stands for the parts in braces of the path, decoded. */
  readonly params: Readonly<Record<string, string>>;
  /** The query, checked. */
  readonly query: Q;
  /** The body, checked. */
  readonly body: B;
  /** Aborted when the caller goes away, and soon after its key or session is good no more. Asked for by whoever has to wait. */
  readonly signal: AbortSignal;
  /** The message itself, for routes that stream. */
  readonly request: IncomingMessage;
  /** The answer itself, for routes that stream. */
  readonly response: ServerResponse;
}

/** Where a route is and who may call it. */
export interface RouteHead {
  /** HTTP method. */
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS';
  /** Path; a part in braces stands for any one part, `{name}` for a connection, and `{*}` at its end for any number of them. */
  readonly path: string;
  /** Name of the operation, in camel case. */
  readonly operation: string;
  /** One line for people. */
  readonly summary: string;
  /** Who may call it. */
  readonly access: Access;
}

/** A route that answers with JSON. */
export interface JsonRoute extends RouteHead {
  /** What the query may hold; by default nothing. */
  readonly query?: z.ZodType | undefined;
  /** What the body must be; by default there is none. */
  readonly body?: z.ZodType | undefined;
  /** What the answer is. */
  readonly answer: z.ZodType;
  /** Does it. What it returns becomes the answer; undefined members become null. */
  handle(call: Call): Promise<unknown>;
}

/** A route that writes its answer itself. It reads the body itself, if it wants any. */
export interface StreamRoute extends RouteHead {
  /** What the query may hold; by default nothing. */
  readonly query?: z.ZodType | undefined;
  /** Media type of the answer. */
  readonly type: string;
  /** True where the query is somebody else's: then it is not looked at. */
  readonly isQueryForeign?: boolean;
  /** True where a HEAD is answered as well, by the same work: not where that uses something up, or has no end. */
  readonly hasHead?: boolean;
  /** Does it. What it throws becomes a problem as long as no answer was begun. */
  stream(call: Call): Promise<void>;
}

/** Any route. */
export type Route = JsonRoute | StreamRoute;

/** Makes a route whose `handle` sees query and body as their schemas say. */
export function jsonRoute<Q extends z.ZodType = z.ZodType, B extends z.ZodType = z.ZodType>(
  head: RouteHead & {
    readonly query?: Q;
    readonly body?: B;
    readonly answer: z.ZodType;
    readonly handle: (call: Call<z.output<Q>, z.output<B>>) => Promise<unknown>;
  },
): JsonRoute {
  return head;
}

/** Makes a route that writes its answer itself. */
export function streamRoute<Q extends z.ZodType = z.ZodType>(
  head: RouteHead & {
    readonly query?: Q;
    readonly type: string;
    readonly isQueryForeign?: boolean;
    readonly hasHead?: boolean;
    readonly stream: (call: Call<z.output<Q>>) => Promise<void>;
  },
): StreamRoute {
  return head;
}
