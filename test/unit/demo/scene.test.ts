import { describe, expect, it } from 'vitest';
import { play, type Scene } from '../../../src/demo/scene.ts';
import type { World } from '../../../src/demo/world.ts';

const world = worldUntil(new AbortController().signal);

/** As much of a world as these scenes need. */
function worldUntil(signal: AbortSignal): World {
  return { signal } as unknown as World;
}

function scene(found: Scene['play']): Scene {
  return { title: 'Something is done', play: found };
}

describe('a scene of the demo', () => {
  it('is in order when everything it says held', async () => {
    const row = await play(
      scene(async () => ({ counted: '1 request', claims: { 'one request was made': true } })),
      world,
    );
    expect(row).toMatchObject({ counted: '1 request', ok: true, reason: undefined });
  });

  it('names everything that did not hold', async () => {
    const claims = { 'it was cold': true, 'it rained': false, 'it blew': false };
    const row = await play(
      scene(async () => ({ counted: '', claims })),
      world,
    );
    expect(row).toMatchObject({ ok: false, reason: 'not so: it rained; it blew' });
  });

  it('tells why it broke off', async () => {
    const row = await play(
      scene(() => Promise.reject(new Error('no more'))),
      world,
    );
    expect(row).toMatchObject({ ok: false, counted: '', reason: 'no more' });
  });

  it('tells why its world could not begin', async () => {
    const beginning = Promise.reject<World>(new Error('no port is free'));
    const row = await play(
      scene(() => Promise.reject(new Error('was played'))),
      beginning,
    );
    expect(row).toMatchObject({ ok: false, reason: 'no port is free' });
  });

  it('ends when its time is over, though it hangs', async () => {
    const over = new AbortController();
    const playing = play(
      scene(() => new Promise(() => undefined)),
      worldUntil(over.signal),
    );
    over.abort(new Error('not done after 15 s'));
    expect(await playing).toMatchObject({ ok: false, reason: 'not done after 15 s' });
  });
});
