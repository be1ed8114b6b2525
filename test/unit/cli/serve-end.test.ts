import { describe, expect, it } from 'vitest';
import { endServing, type Ending } from '../../../src/cli/serve/end.ts';
import { EvergrantError, StoreError } from '../../../src/errors.ts';
import { fakeClock } from '../../support/fake-clock.ts';

/*
 * How `evergrant serve` ends, whatever hangs or fails, on a clock that moves when it is told to.
 */

const never = (): Promise<void> => new Promise(() => undefined);
const atOnce = async (): Promise<void> => undefined;
const fails = (error: Error) => (): Promise<void> => Promise.reject(error);

interface End {
  readonly code: number | undefined;
  readonly atMs: number;
  readonly closed: readonly string[];
  readonly log: string;
}

async function end(parts: {
  readonly daemon?: () => Promise<void>;
  readonly keeper?: () => Promise<void>;
  readonly tellManager?: () => Promise<void>;
}): Promise<End> {
  const { daemon = atOnce, keeper = atOnce, tellManager = atOnce } = parts;
  const clock = fakeClock();
  const closed: string[] = [];
  const log: string[] = [];
  const tell = (message: string, fields?: object): void =>
    void log.push(`${message} ${JSON.stringify(fields ?? {})}`);
  const closes = (name: string, close: () => Promise<void>) => async () => {
    closed.push(name);
    await close();
  };
  const ending: Ending = {
    daemon: { close: closes('daemon', daemon) },
    keeper: { close: closes('keeper', keeper) },
    ...{ clock, log: { info: tell, warn: tell }, tellManager, lateCode: 143 },
  };
  const ended = endServing(ending).then((code) => ({ code, atMs: clock.monotonic() }));
  await clock.advance(30_000);
  const pending = { code: undefined, atMs: Number.NaN };
  return {
    ...(await Promise.race([ended, Promise.resolve(pending)])),
    closed,
    log: log.join('\n'),
  };
}

describe('evergrant serve, told to end', () => {
  it('ends the daemon, then the keeper, with 0', async () => {
    const ended = await end({});
    expect(ended).toMatchObject({ code: 0, atMs: 0, closed: ['daemon', 'keeper'] });
    expect(ended.log).toContain('ended');
  });

  it.each([
    ['the daemon', { daemon: never }, 143],
    ['the keeper', { keeper: never }, 143],
    ['both', { daemon: never, keeper: never }, 143],
    ['systemd', { tellManager: never }, 143],
  ])(
    'ends within 30 s when %s hangs, and closes the keeper all the same',
    async (_, parts, code) => {
      const ended = await end(parts);
      expect(ended).toMatchObject({ code, closed: ['daemon', 'keeper'] });
      expect(ended.log).not.toContain('uncertain');
    },
  );

  it('closes the keeper when the daemon cannot end, and tells why', async () => {
    const ended = await end({ daemon: fails(new Error('no way')) });
    expect(ended).toMatchObject({ code: 1, closed: ['daemon', 'keeper'] });
    expect(ended.log).toContain('no way');
  });

  it('calls uncertain a refresh under way alone, with 6', async () => {
    const underWay = new EvergrantError('ERR_DEADLINE', 'an answer is still under way');
    const ended = await end({ keeper: fails(underWay) });
    expect(ended.code).toBe(6);
    expect(ended.log).toContain('uncertain');
  });

  it('tells why the keeper could not be closed, by the exit code of the reason', async () => {
    const ended = await end({ keeper: fails(new StoreError('ERR_STORE_FULL', 'disk full')) });
    expect(ended.code).toBe(9);
    expect(ended.log).toContain('disk full');
    expect(ended.log).not.toContain('uncertain');
  });
});
