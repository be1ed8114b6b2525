import * as z from 'zod';
import { jsonRoute, streamRoute, type Route } from '../api/route.ts';
import { answerText, toJson } from '../http/answer.ts';
import { readJson } from '../http/body.ts';
import { AccessRefusedError, ConfigurationError } from '../../errors.ts';
import type { DaemonParts } from '../parts.ts';
import { isFromOurPage, readCookie, sessionField } from './entrance.ts';
import type { Sessions } from './sessions.ts';

/** Whoever reaches the port may send this. */
const MOST_BYTES = 1_024;
const body = z.strictObject({ code: z.string().max(100, 'is too long') });

/** Signing browsers in and out. */
export function signInRoutes({ sessions, openDoor, clock }: DaemonParts): readonly Route[] {
  return [
    jsonRoute({
      method: 'POST',
      path: '/v1/dashboard-links',
      operation: 'dashboardLink',
      summary: 'Makes a link that signs one browser in to the dashboard, once; for the owner alone',
      access: { verb: 'manage', reach: 'all' },
      body: z.strictObject({}),
      answer: z.strictObject({ url: z.string(), expiresAt: z.number() }),
      handle: async ({ caller }) => {
        if (caller.policy !== undefined)
          throw new AccessRefusedError(
            'ERR_ACCESS_FORBIDDEN',
            'links to sign in are made on the socket of the owner',
          );
        const address = await openDoor();
        const { code, endsAt } = sessions.offer();
        // What follows the hash stays in the browser: it is in no request, log or Referer.
        return { url: `${address}/sign-in#${code.reveal()}`, expiresAt: endsAt };
      },
    }),
    signInRoute(sessions, clock),
    streamRoute({
      method: 'DELETE',
      path: '/v1/session',
      operation: 'signOut',
      summary: 'Signs out the browser that asks',
      access: 'caller',
      type: 'application/json',
      stream: async ({ request, response }) => {
        const cookie = readCookie(request, sessions.publicUrl);
        if (cookie !== undefined) sessions.end(cookie);
        const headers = { 'set-cookie': sessionField(request, sessions.publicUrl, '', 0) };
        answerText(response, { status: 200, headers }, '{}');
      },
    }),
  ];
}

function signInRoute(sessions: Sessions, clock: DaemonParts['clock']): Route {
  return streamRoute({
    method: 'POST',
    path: '/v1/session',
    operation: 'signIn',
    summary: 'Signs a browser in with the code of a link, which is used up by that',
    access: 'anyone',
    type: 'application/json',
    stream: async ({ request, response }) => {
      // A page of somebody else must not sign this browser in.
      if (!isFromOurPage(request)) throw refused('signing in must come from the dashboard itself');
      const given = body.safeParse(await readJson(request, clock, MOST_BYTES));
      if (!given.success)
        throw new ConfigurationError(
          'ERR_ARGUMENT',
          'the body is wrong: code is needed, and nothing else',
        );
      const halves = sessions.redeem(given.data.code);
      if (halves === undefined)
        throw refused(
          'this link was used before, or is too old; evergrant dashboard prints another',
        );
      const { cookie, proof, endsAt } = halves;
      const lifeMs = endsAt - clock.now();
      const field = sessionField(request, sessions.publicUrl, cookie.reveal(), lifeMs);
      const headers = { 'set-cookie': field };
      answerText(response, { status: 200, headers }, toJson({ proof: proof.reveal(), endsAt }));
    },
  });
}

function refused(message: string): AccessRefusedError {
  return new AccessRefusedError('ERR_ACCESS_REFUSED', message);
}
