import * as z from 'zod';
import type { AccessToken } from '../../access-token.ts';
import type { TokenOptions } from '../../keeper-api.ts';
import { jsonRoute, type Call, type Route } from '../api/route.ts';
import { accessToken, duration } from '../api/schemas.ts';
import { JsonText, toJson } from '../http/answer.ts';
import type { DaemonParts } from '../parts.ts';

const wishes = z.strictObject({ minLife: duration.optional(), timeout: duration.optional() });

/** The one thing most callers want. */
export function tokenRoutes({ keeper }: DaemonParts): readonly Route[] {
  return [
    jsonRoute({
      method: 'GET',
      path: '/v1/connections/{name}/token',
      operation: 'token',
      summary:
        'An access token that works; refreshes first when the one at hand is about to expire',
      access: { verb: 'token', reach: 'named' },
      query: wishes,
      answer: accessToken,
      handle: async (call) => {
        const connection = keeper.connection(call.params['name'] ?? '');
        return answerOf(await connection.token(new Demand(call)));
      },
    }),
  ];
}

/** What a caller wants. The signal is asked for by a keeper that has to wait, and made then only. */
class Demand implements TokenOptions {
  readonly minLifeMs?: number;
  readonly timeoutMs?: number;
  readonly #call: Call;

  constructor(call: Call<z.output<typeof wishes>>) {
    this.#call = call;
    const { minLife, timeout } = call.query;
    if (minLife !== undefined) this.minLifeMs = minLife;
    if (timeout !== undefined) this.timeoutMs = timeout;
  }

  get signal(): AbortSignal {
    return this.#call.signal;
  }
}

/** To write a token as JSON takes longer than all else, and the keeper serves one and the same until the next refresh. */
const answers = new WeakMap<AccessToken, JsonText>();

function answerOf(token: AccessToken): JsonText {
  const known = answers.get(token);
  if (known !== undefined) return known;
  const { value, type, scope, expiresAt, generation } = token;
  const made = new JsonText(toJson({ accessToken: value, type, scope, expiresAt, generation }));
  answers.set(token, made);
  return made;
}
