import { gzipSync } from 'node:zlib';
import { html, silence, type Answer } from '../http/answer.ts';
import type { BodyFault } from './fault.ts';
import type { Strike } from './strike.ts';

type Maker<Kind extends BodyFault['kind']> = (
  answer: Answer,
  fault: Extract<BodyFault, { readonly kind: Kind }>,
) => Answer;

type Members = Record<string, unknown>;

const makers: { readonly [Kind in BodyFault['kind']]: Maker<Kind> } = {
  'not-json': () => html(200, '<html><body>Welcome to the hotel network</body></html>'),
  'trailing-comma': (answer) => withText(answer, (body) => body.replace(/\}$/, ',}')),
  bom: (answer) => withText(answer, (body) => `\uFEFF${body}`),
  'duplicate-keys': (answer) =>
    withText(answer, (body) => body.replace(/^\{/, '{"access_token":"wrong","expires_in":1,')),
  'gzip-body': (answer) => ({
    ...answer,
    headers: { ...answer.headers, 'Content-Encoding': 'gzip' },
    body: gzipSync(answer.body),
  }),
  'form-encoded': (answer) => ({
    ...withText(answer, (body) =>
      new URLSearchParams(asText(JSON.parse(body) as Members)).toString(),
    ),
    headers: { ...answer.headers, 'Content-Type': 'application/x-www-form-urlencoded' },
  }),
  'percent-encoded-scope': (answer) =>
    withMembers(answer, ({ scope }) => ({ scope: encodeURIComponent(String(scope)) })),
  'no-refresh-token': (answer) => withMembers(answer, () => ({ refresh_token: null })),
  'empty-refresh-token': (answer) => withMembers(answer, () => ({ refresh_token: '' })),
  'expires-in': (answer, { value }) =>
    withMembers(answer, ({ expires_in: right }) => ({
      expires_in: value === undefined ? String(right) : value,
    })),
  'token-type': (answer, { value = 'bearer' }) =>
    withMembers(answer, () => ({ token_type: value })),
  members: (answer, { members }) => withMembers(answer, () => members),
  'slow-body': (answer, { msPerByte = 10 }) => ({
    ...answer,
    delivery: { how: 'slow', msPerByte },
  }),
  'oversize-body': (answer, { bytes = 1024 * 1024 }) =>
    withMembers(answer, () => ({ padding: 'x'.repeat(bytes) })),
};

/** What a fault in the body of an answer does. @throws TypeError for a kind that does not exist. */
export function bodyStrike(fault: BodyFault): Strike {
  if (!(fault.kind in makers)) throw new TypeError(`there is no fault named ${fault.kind}`);
  // The table's type ties each maker to its kind; TypeScript cannot follow that through a lookup.
  const make = makers[fault.kind] as (answer: Answer, fault: BodyFault) => Answer;
  return {
    commits: true,
    answer: (given) => (given === undefined ? silence('cut') : make(given, fault)),
  };
}

function withText(answer: Answer, change: (body: string) => string): Answer {
  return { ...answer, body: change(Buffer.from(answer.body).toString('utf8')) };
}

/** Changes members of a JSON body; null removes one. */
function withMembers(answer: Answer, change: (members: Members) => Members): Answer {
  return withText(answer, (body) => {
    const members = JSON.parse(body) as Members;
    const changed = Object.entries({ ...members, ...change(members) });
    return JSON.stringify(Object.fromEntries(changed.filter(([, value]) => value !== null)));
  });
}

function asText(members: Members): Record<string, string> {
  return Object.fromEntries(Object.entries(members).map(([name, value]) => [name, String(value)]));
}
