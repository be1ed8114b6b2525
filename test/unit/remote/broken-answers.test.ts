import type { ServerResponse } from 'node:http';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, it, vi } from 'vitest';
import { ResponseInvalidError, ServerUnavailableError } from '../../../src/errors.ts';
import { pretendedDaemonFixture } from '../../support/pretended-daemon.ts';

vi.setConfig({ testTimeout: 60_000 });

/*
 * Answers of a daemon that are too long, or whose end does not come.
 */

const pretended = pretendedDaemonFixture();
const MIB = 2 ** 20;

/** Says that so many connections were renewed that it takes this many bytes. */
function renewed(bytes: number): string {
  const one = { connection: 'x'.repeat(1_000), problem: null };
  const renewals = Array.from({ length: Math.ceil(bytes / 1_000) }, () => one);
  return JSON.stringify({ renewed: renewals });
}

it('what was renewed is told to its end, however many are due', async () => {
  const { keeper } = await pretended((_request, response) => response.end(renewed(20 * MIB)));
  expect((await keeper.refreshDue()).length).toBeGreaterThan(20_000);
});

it('an answer that is too long is told as that, not as a daemon that went away', async () => {
  const { keeper } = await pretended((_request, response) => response.end(renewed(20 * MIB)));
  const asked = keeper.connection('a').pause();
  await expect(asked).rejects.toThrow(ResponseInvalidError);
  await expect(asked).rejects.toMatchObject({
    code: 'ERR_RESPONSE_INVALID',
    message: expect.stringMatching(
      /^the answer of the daemon at \S+ is longer than 16 MiB; what was asked for may have been done, look before you ask again$/,
    ),
  });
});

it('an error that is too long for a daemon is told as that of another', async () => {
  const { keeper } = await pretended((_request, response) =>
    response.writeHead(500).end(renewed(20 * MIB)),
  );
  await expect(keeper.list()).rejects.toMatchObject({
    code: 'ERR_DAEMON_UNREACHABLE',
    message: expect.stringContaining('there is no daemon of evergrant'),
  });
});

/** Lets what was sent come to whoever asked. */
async function arrived(): Promise<void> {
  for (let turns = 0; turns < 200; turns++) await turn();
}

/** Begins an error and never ends it. */
function beginError(response: ServerResponse): void {
  response.writeHead(503, { 'content-type': 'application/problem+json' }).write('{"kind":');
}

it('whoever gives up while an error comes is told its own reason', async () => {
  const begun = Promise.withResolvers<undefined>();
  const { keeper } = await pretended((_request, response) => {
    beginError(response);
    begun.resolve(undefined);
  });
  const mine = new AbortController();
  const asked = keeper.connection('a').token({ signal: mine.signal });
  const reason = new Error('enough');
  const told = expect(asked).rejects.toBe(reason);
  await begun.promise;
  await arrived();
  mine.abort(reason);
  await told;
});

it('a daemon that stops while it tells an error is told as one that does not answer', async () => {
  const begun = Promise.withResolvers<undefined>();
  const { keeper, clock } = await pretended((_request, response) => {
    beginError(response);
    begun.resolve(undefined);
  });
  const asked = expect(keeper.list()).rejects.toMatchObject({ code: 'ERR_DEADLINE' });
  await begun.promise;
  await arrived();
  await clock.advance(300_000);
  await asked;
});

it('a daemon that ends while it tells an error is told as one that went away', async () => {
  const { keeper } = await pretended((_request, response) => {
    beginError(response);
    setImmediate(() => response.destroy());
  });
  const asked = keeper.list();
  await expect(asked).rejects.toThrow(ServerUnavailableError);
  await expect(asked).rejects.toMatchObject({
    code: 'ERR_DAEMON_UNREACHABLE',
    message: expect.stringContaining('went away'),
  });
});
