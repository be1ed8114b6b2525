import { describe, expect, it } from 'vitest';
import type { Change, View } from '../../../src/connection/decision.ts';
import type { Verdict } from '../../../src/connection/verdict.ts';
import { NotFoundError, StoreError } from '../../../src/errors.ts';
import { persist } from '../../../src/refresh/persist.ts';
import type { Spill } from '../../../src/refresh/spill.ts';
import { settle } from '../../support/fake-clock.ts';
import { fullDisk, oneRow, someSpill, type OneRow } from '../../support/one-row.ts';

const spill = someSpill();
const fault = new TypeError('a fault of ours');

/** Writes the row of an answer; `ended` is what came of it, undefined while it is tried. */
function write(
  world: OneRow,
  kept: Spill | undefined,
  decide = recorded,
): { ended: Verdict['kind'] | Error | undefined } {
  const seen: ReturnType<typeof write> = { ended: undefined };
  persist(world.engine, 'connection', decide, kept).then(
    (verdict) => (seen.ended = verdict.kind),
    (error: unknown) => (seen.ended = error as Error),
  );
  return seen;
}

function recorded({ connection }: View): Change<Verdict> {
  return { result: { kind: 'recorded', connection } };
}

function faulty(): never {
  throw fault;
}

describe('an answer that the store takes', () => {
  it.each([spill, undefined])('needs no file: %#', async (kept) => {
    const world = oneRow();
    const seen = write(world, kept);
    await settle();
    expect(seen.ended).toBe('recorded');
    expect(world.steps).toEqual(['row written durably']);
  });
});

describe('an answer with tokens that the store does not take', () => {
  it('lies in a file until the store takes it, and no longer', async () => {
    const world = oneRow();
    world.trouble = fullDisk;
    const seen = write(world, spill);
    await world.clock.advance(1_000);
    expect(seen.ended).toBeUndefined();
    expect(world.files.get('attempt')).toBe(spill);
    world.trouble = undefined;
    await world.clock.advance(1_000);
    expect(seen.ended).toBe('recorded');
    expect(world.steps).toEqual(['warning', 'file written', 'row written durably', 'file removed']);
  });

  it('is tried again without end: soon at first, then every 5 s', async () => {
    const world = oneRow();
    world.trouble = fullDisk;
    const seen = write(world, spill);
    await world.clock.advance(26_300);
    expect(world.tried).toEqual([
      ...[0, 100, 300, 700, 1_500, 3_100],
      ...[6_300, 11_300, 16_300, 21_300, 26_300],
    ]);
    expect(seen.ended).toBeUndefined();
  });

  it('is told of once', async () => {
    const world = oneRow();
    world.trouble = fullDisk;
    write(world, spill);
    await world.clock.advance(10_000);
    const message = 'an answer could not be stored (the disk is full); it is kept and tried again';
    expect(world.events).toEqual([['warning', { connection: undefined, message }]]);
  });

  it('and no file either, is written to one as soon as that can be done', async () => {
    const world = oneRow();
    world.trouble = fullDisk;
    world.fileTrouble.write = new Error('no room');
    write(world, spill);
    await world.clock.advance(300);
    delete world.fileTrouble.write;
    await world.clock.advance(400);
    expect(world.files.get('attempt')).toBe(spill);
    await world.clock.advance(10_000);
    expect(world.steps.filter((step) => step === 'file written')).toHaveLength(4);
  });

  it('is left in its file when the keeper closes, which waits for nothing', async () => {
    const world = oneRow();
    world.trouble = fullDisk;
    const seen = write(world, spill);
    await world.clock.advance(3_200);
    expect(seen.ended).toBeUndefined();
    world.close();
    await settle();
    expect(seen.ended).toBe(fullDisk);
    expect(world.files.get('attempt')).toBe(spill);
    expect(world.clock.pending).toBe(0);
  });

  it('and no file either, is not given up even when the keeper closes, nor tried more often', async () => {
    const world = oneRow();
    world.trouble = fullDisk;
    world.fileTrouble.write = new Error('no room');
    const seen = write(world, spill);
    await settle();
    world.close();
    await world.clock.advance(11_300);
    expect(world.tried).toEqual([0, 100, 300, 700, 1_500, 3_100, 6_300, 11_300]);
    expect(seen.ended).toBeUndefined();
    world.trouble = undefined;
    await world.clock.advance(5_000);
    expect(seen.ended).toBe('recorded');
  });

  it('is recorded at last, whether its file can be removed or not', async () => {
    const world = oneRow();
    world.trouble = fullDisk;
    world.fileTrouble.remove = new Error('read-only');
    const seen = write(world, spill);
    await settle();
    world.trouble = undefined;
    await world.clock.advance(100);
    expect(seen.ended).toBe('recorded');
  });
});

describe('an answer without tokens that the store does not take', () => {
  it('is given up after eight tries, with the reason, and lies in no file', async () => {
    const world = oneRow();
    world.trouble = fullDisk;
    const seen = write(world, undefined);
    await world.clock.advance(11_299);
    expect(seen.ended).toBeUndefined();
    expect(world.tried).toEqual([0, 100, 300, 700, 1_500, 3_100, 6_300]);
    await world.clock.advance(1);
    expect(seen.ended).toBe(fullDisk);
    await world.clock.advance(60_000);
    expect(world.tried).toHaveLength(8);
    expect(world.steps).toEqual(['warning']);
  });

  it('counts if the eighth try succeeds', async () => {
    const world = oneRow();
    world.trouble = new StoreError('ERR_STORE_LOCKED', 'busy');
    const seen = write(world, undefined);
    await world.clock.advance(11_299);
    world.trouble = undefined;
    await world.clock.advance(1);
    expect(seen.ended).toBe('recorded');
  });
});

describe('a fault of ours', () => {
  it('is not repeated, and loses no tokens', async () => {
    const world = oneRow();
    const seen = write(world, spill, faulty);
    await world.clock.advance(60_000);
    expect(seen.ended).toBe(fault);
    expect(world.tried).toEqual([0]);
    expect(world.files.get('attempt')).toBe(spill);
    expect(world.steps).toEqual(['file written']);
  });

  it('keeps the file that was there before it', async () => {
    const world = oneRow();
    world.trouble = fullDisk;
    const seen = write(world, spill, faulty);
    await settle();
    world.trouble = undefined;
    await world.clock.advance(100);
    expect(seen.ended).toBe(fault);
    expect(world.files.get('attempt')).toBe(spill);
    expect(world.steps).toEqual(['warning', 'file written']);
  });

  it('makes no file where there are no tokens', async () => {
    const world = oneRow();
    const seen = write(world, undefined, faulty);
    await settle();
    expect(seen.ended).toBe(fault);
    expect(world.steps).toEqual([]);
  });
});

it('the answer to a connection that was removed meanwhile is kept nowhere, and who waits is told', async () => {
  const world = oneRow();
  world.view = undefined;
  const seen = write(world, spill);
  await settle();
  expect(seen.ended).toEqual(
    new NotFoundError(
      'ERR_CONNECTION_UNKNOWN',
      'the connection was removed while it was refreshed',
    ),
  );
  expect(seen.ended).toHaveProperty('code', 'ERR_CONNECTION_UNKNOWN');
  expect(world.files.size).toBe(0);
  expect(world.steps).toEqual([]);
});
