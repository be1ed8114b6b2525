import { describe, expect, it, vi } from 'vitest';
import { daemonAtHand } from '../../../src/cli/daemon-at-hand.ts';
import { StoreError } from '../../../src/errors.ts';
import { daemonFixture } from '../../support/daemon-fixture.ts';
import { fakeHome, fakeKeeper, status } from './fake-keeper.ts';
import { collectingSession, runCli } from './run-cli.ts';

const start = daemonFixture();

describe('whether a daemon is at hand', () => {
  it('is not asked of its store', async () => {
    const test = await start();
    const { keeper } = test.world.first;
    const damaged = new StoreError('ERR_STORE_DAMAGED', 'the store is damaged; restore a backup');
    const list = vi.spyOn(keeper, 'list').mockRejectedValue(damaged);
    const { session } = collectingSession({ globals: { home: test.world.home } });
    const found = await daemonAtHand(session);
    expect(list).not.toHaveBeenCalled();
    // Whoever asks for something hears of it.
    await expect(found?.list()).rejects.toMatchObject({ code: 'ERR_STORE_DAMAGED' });
    await found?.close();
  });

  it('is no where nobody listens, and where --direct forbids it', async () => {
    const test = await start();
    const { home } = test.world;
    const direct = collectingSession({ globals: { home, direct: true } }).session;
    expect(await daemonAtHand(direct)).toBeUndefined();
    await test.world.during(test.daemon.close(0));
    const { session } = collectingSession({ globals: { home } });
    expect(await daemonAtHand(session)).toBeUndefined();
  });
});

describe('beside a daemon', () => {
  it.each([[[]], [['--grant', 'device']]])(
    'a grant is renewed at this terminal, where the person is (%s)',
    async (further) => {
      const test = await start();
      const { home } = test.world;
      const keeper = fakeKeeper([status({ name: 'a' })]);
      const argv = ['connect', 'a', '--reconnect', ...further, '--home', home];
      const { code, stderr } = await runCli(argv, { keeper });
      expect({ code, stderr }).toMatchObject({ code: 0 });
      expect(keeper.calls).toContainEqual([
        'reconnect',
        'a',
        expect.objectContaining({ prompt: expect.anything() }),
      ]);
    },
  );
});

describe('what --json prints', () => {
  it.each([
    ['show', 'alpha'],
    ['show', 'idle'],
    ['list'],
    ['explain', 'alpha'],
    ['client', 'list'],
  ])('has the same members through a daemon as without one: %s %s', async (...words: string[]) => {
    const { world } = await start();
    await world.add('alpha');
    await world.add('idle');
    await world.first.keeper.connection('idle').pause();
    const argv = [...words.filter((word) => word !== ''), '--json', '--home', world.home];
    const openHome = async (): Promise<ReturnType<typeof fakeHome>> =>
      fakeHome((await world.open()).keeper);
    const print = async (...more: string[]): Promise<unknown> => {
      const run = await runCli([...argv, ...more], { clock: world.clock, openHome });
      expect(run).toMatchObject({ code: 0, stderr: '' });
      return JSON.parse(run.stdout);
    };
    const direct = await print('--direct');
    expect(JSON.stringify(direct)).toContain(':null');
    expect(await print()).toStrictEqual(direct);
  });
});
