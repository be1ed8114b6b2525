import { describe, expect, it } from 'vitest';
import { reloader, type ServeSettings } from '../../../src/cli/serve/reload.ts';
import type { Settings } from '../../../src/settings.ts';

/*
 * What SIGHUP does: settings are read and taken over one time after the other, and what takes a restart is told.
 */

interface Reloading {
  readonly reload: () => Promise<void>;
  /** Socket paths of the settings as the daemon was given them. */
  readonly taken: string[];
  readonly log: string[];
  readonly end: () => void;
}

function reloading(inForce: Settings, read: () => Promise<ServeSettings>): Reloading {
  const taken: string[] = [];
  const log: string[] = [];
  const ending = new AbortController();
  const tell = (message: string, fields?: object): void =>
    void log.push(`${message} ${JSON.stringify(fields ?? {})}`);
  const daemon = {
    reload: async ({ socket = '' }: ServeSettings['daemon']) => {
      taken.push(socket);
      return [];
    },
  };
  const told = { info: tell, warn: tell, form: 'text' as const };
  const reload = reloader({ daemon, read, inForce, log: told, signal: ending.signal });
  return { reload, taken, log, end: () => ending.abort() };
}

describe('SIGHUP', () => {
  it.each([
    ['notifyCommand', { notifyCommand: ['mail', 'me'] }, { notifyCommand: ['mail', 'you'] }],
    ['lastTry', {}, { lastTry: false }],
    ['requestsPerSecond', { requestsPerSecond: 5 }, {}],
  ])('says that %s takes a restart, each time', async (option, before, after) => {
    const { reload, log } = reloading(before, async () => ({ ...after, daemon: {} }));
    await reload();
    await reload();
    const line = `settings read again {"after_restart":"${option}"}`;
    expect(log).toEqual([line, line]);
  });

  it('says nothing of what is the same', async () => {
    const same = { notifyCommand: ['mail'], lastTry: true, requestsPerSecond: 1 };
    const { reload, log } = reloading(same, async () => ({ ...structuredClone(same), daemon: {} }));
    await reload();
    expect(log).toEqual(['settings read again {}']);
  });

  it('that comes again while settings are read leaves those in force that were read last', async () => {
    const first = Promise.withResolvers<ServeSettings>();
    const reads = [first.promise, Promise.resolve({ daemon: { socket: '/second' } })];
    const { reload, taken } = reloading({}, () => reads.shift() ?? Promise.reject(new Error()));
    const done = [reload(), reload()];
    first.resolve({ daemon: { socket: '/first' } });
    await Promise.all(done);
    expect(taken).toEqual(['/first', '/second']);
  });

  it('reads them again after some could not be used, and no more once the process is to end', async () => {
    const reads = [Promise.reject(new Error('line 2')), Promise.resolve({ daemon: {} })];
    const { reload, log, taken, end } = reloading({}, () => reads.shift() ?? first());
    await reload();
    await reload();
    end();
    await reload();
    expect(log.join('\n')).toMatch(/cannot be used.*line 2[^]*read again/);
    expect(taken).toHaveLength(1);
  });
});

function first(): never {
  throw new Error('nothing more is read');
}
