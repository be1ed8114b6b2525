import { request, type IncomingMessage, type ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { MOST_KEPT_BYTES } from '../../../../src/daemon/proxy/replay.ts';
import { ReplayRoom } from '../../../../src/daemon/proxy/replay-room.ts';
import { bodyOf, startApi, type ApiServer } from '../../../support/api-server.ts';
import { setSabotage } from '../../../support/failpoints.ts';
import { startFront, TOKEN, type Front } from '../../../support/proxy-front.ts';

/*
 * Bodies that are kept in case they must be sent a second time, while an API takes them and says nothing.
 */

afterEach(() => setSabotage('replay-room', false));

const INVALID = { 'www-authenticate': 'Bearer error="invalid_token"' };
const BODY = Buffer.alloc(MOST_KEPT_BYTES, 'a');
/** Room for three such bodies, and the pieces that they come in. */
const MOST_BYTES = 3.5 * MOST_KEPT_BYTES;
const CALLS = 12;

interface SilentApi extends ApiServer {
  /** Resolves when so many bodies were read whole. */
  taken(count: number): Promise<void>;
  /** Refuses the tokens of all that wait; says the length of each body that is sent with a newer one. */
  speak(): void;
}

/** Reads bodies, and is silent until told to speak. */
async function silentApi(): Promise<SilentApi> {
  const waiting: ServerResponse[] = [];
  let onTaken = (): void => undefined;
  const api = await startApi(async (incoming, response) => {
    const body = await bodyOf(incoming);
    if (incoming.headers.authorization === `Bearer ${TOKEN}1`) waiting.push(response);
    else response.end(String(body.length));
    onTaken();
  });
  return {
    ...api,
    [Symbol.asyncDispose]: () => api[Symbol.asyncDispose](),
    taken: (count) =>
      new Promise((resolve) => {
        onTaken = () => waiting.length >= count && resolve();
        onTaken();
      }),
    speak: () => {
      for (const response of waiting.splice(0)) response.writeHead(401, INVALID).end();
    },
  };
}

function send(front: Front): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const asked = request(`${front.url}/sink`, { method: 'POST', agent: false });
    asked.on('error', reject).on('response', (answer: IncomingMessage) => {
      bodyOf(answer).then(
        (body) => resolve({ status: answer.statusCode ?? 0, text: body.toString() }),
        reject,
      );
    });
    asked.end(BODY);
  });
}

describe('bodies of many calls to an API that is silent', () => {
  it('take no more memory together than they may; those that were not kept get their refusal', async () => {
    const room = new ReplayRoom(MOST_BYTES);
    await using api = await silentApi();
    await using front = await startFront({ origins: [api.origin], room });
    const answers = Array.from({ length: CALLS }, () => send(front));
    await api.taken(CALLS);
    expect(room.taken).toBeLessThanOrEqual(MOST_BYTES);
    api.speak();
    const statuses = (await Promise.all(answers)).map(({ status }) => status);
    const repeated = statuses.filter((status) => status === 200);
    expect(statuses.filter((status) => status === 401)).toHaveLength(CALLS - repeated.length);
    expect(repeated.length).toBeGreaterThan(0);
    expect(repeated.length).toBeLessThanOrEqual(3);
    expect(front.refreshes).toBe(1);
  });

  it('leave all of the room when they have their answers, repeated or not', async () => {
    const room = new ReplayRoom(MOST_BYTES);
    await using api = await silentApi();
    await using front = await startFront({ origins: [api.origin], room });
    const answers = Array.from({ length: CALLS }, () => send(front));
    await api.taken(CALLS);
    api.speak();
    await Promise.all(answers);
    await emptied(room);
    const again = await send(front);
    expect(again).toEqual({ status: 200, text: String(MOST_KEPT_BYTES) });
    await emptied(room);
  });

  it('leave all of it when their callers go away, or the API does', async () => {
    const room = new ReplayRoom(MOST_BYTES);
    await using api = await silentApi();
    await using front = await startFront({ origins: [api.origin], room });
    const answers = Array.from({ length: 2 }, () => send(front));
    const gone = Promise.allSettled(answers);
    await api.taken(2);
    expect(room.taken).toBeGreaterThan(2 * MOST_KEPT_BYTES);
    front.server.closeAllConnections();
    await gone;
    await emptied(room);
    const failed = send(front);
    await api.taken(3);
    api.server.closeAllConnections();
    expect((await failed).status).toBe(502);
    await emptied(room);
  });

  it('would take as much as they are without this defence', async () => {
    setSabotage('replay-room', true);
    const room = new ReplayRoom(MOST_BYTES);
    await using api = await silentApi();
    await using front = await startFront({ origins: [api.origin], room });
    const answers = Array.from({ length: CALLS }, () => send(front));
    await api.taken(CALLS);
    expect(room.taken).toBeGreaterThan(CALLS * MOST_KEPT_BYTES);
    api.speak();
    await Promise.all(answers);
  });
});

/** Waits until nothing is kept, which is once the proxy has noticed the end of its calls. */
async function emptied(room: ReplayRoom): Promise<void> {
  for (let i = 0; room.taken > 0; i++) {
    if (i > 5_000) throw new Error(`${String(room.taken)} bytes are still kept`);
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(room.taken).toBe(0);
}
