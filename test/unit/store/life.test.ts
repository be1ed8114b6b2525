import { spawn, type ChildProcess } from 'node:child_process';
import { copyFileSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Owner } from '../../../src/connection/record.ts';
import { StoreError } from '../../../src/errors.ts';
import { LifeFiles } from '../../../src/store/sqlite/life.ts';
import { thisMachine, type Machine } from '../../../src/system/machine.ts';
import { systemRandom } from '../../../src/system/random.ts';

/*
 * The kernel vouches for real processes: they are started, stopped and killed here, and probed by others.
 */

const root = path.resolve(import.meta.dirname, '../../..');
const HOLDER = `
  const { LifeFiles } = await import('./src/store/sqlite/life.ts');
  const { thisMachine } = await import('./src/system/machine.ts');
  const { systemRandom } = await import('./src/system/random.ts');
  const lives = new LifeFiles({
    folder: process.argv[1],
    machine: await thisMachine(),
    random: systemRandom,
    isNamed: () => true,
    checkStore: async () => {},
  });
  console.log(JSON.stringify(await lives.identify()));
  process.stdin.on('data', async () => console.log(JSON.stringify(await lives.identify())));
  process.stdin.resume();
`;

interface Holder {
  readonly process: ChildProcess;
  readonly owner: Owner;
  /** Asks it who it is now. */
  ask(): Promise<Owner>;
  kill(): Promise<void>;
}

let folder: string;
let machine: Machine;
let prober: LifeFiles;
/** Owners that a claim names. */
let named: Set<string>;
const holders: Holder[] = [];

async function hold(): Promise<Holder> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', HOLDER, folder], {
    cwd: root,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<Owner> => JSON.parse((await lines.next()).value ?? '') as Owner;
  const holder: Holder = {
    process: child,
    owner: await next(),
    ask: () => {
      child.stdin.write('\n');
      return next();
    },
    kill: () =>
      new Promise((resolve) => {
        if (child.exitCode !== null || child.signalCode !== null) resolve();
        child.on('exit', () => resolve());
        child.kill('SIGKILL');
      }),
  };
  holders.push(holder);
  return holder;
}

function newProber(isNamed = (ownerId: string): boolean => named.has(ownerId)): LifeFiles {
  return new LifeFiles({
    folder,
    machine,
    random: systemRandom,
    isNamed,
    checkStore: () => Promise.resolve(),
  });
}

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'evergrant-life-'));
  machine = await thisMachine();
  named = new Set();
  prober = newProber();
});

afterEach(async () => {
  await Promise.all(holders.splice(0).map((holder) => holder.kill()));
  await prober.close();
  rmSync(folder, { recursive: true, force: true });
});

const fileOf = ({ ownerId }: Owner): string => path.join(folder, `${ownerId}.life`);

describe('a keeper in another process', () => {
  it('is alive while it runs, also while it is stopped, and dead at once when it is killed', async () => {
    const holder = await hold();
    expect(await prober.judge(holder.owner)).toBe('alive');
    holder.process.kill('SIGSTOP');
    for (let i = 0; i < 50; i++) expect(await prober.judge(holder.owner)).toBe('alive');
    await holder.kill();
    expect(await prober.judge(holder.owner)).toBe('dead');
  });

  it('is judged the same by many probers at once, none of which disturbs another', async () => {
    const living = await hold();
    const dead = await hold();
    await dead.kill();
    const probers = Array.from({ length: 8 }, () => newProber());
    for (let round = 0; round < 40; round++) {
      const verdicts = await Promise.all(
        probers.flatMap((one) => [one.judge(living.owner), one.judge(dead.owner)]),
      );
      expect(new Set(verdicts.filter((_, i) => i % 2 === 0))).toEqual(new Set(['alive']));
      expect(new Set(verdicts.filter((_, i) => i % 2 === 1))).toEqual(new Set(['dead']));
    }
  });

  it('cannot be judged once its file is gone, and goes on under another id', async () => {
    const holder = await hold();
    rmSync(fileOf(holder.owner));
    expect(await prober.judge(holder.owner)).toBe('unknown');
    const next = await holder.ask();
    expect(next.ownerId).not.toBe(holder.owner.ownerId);
    expect(await prober.judge(next)).toBe('alive');
  });

  it('is not taken for dead because a copy lies in its place', async () => {
    const holder = await hold();
    const file = fileOf(holder.owner);
    // Another process copies it: in this one, closing a descriptor of the file would drop locks.
    copyFileSync(file, `${file}.copy`);
    renameSync(`${file}.copy`, file);
    expect(await prober.judge(holder.owner)).toBe('unknown');
    expect((await holder.ask()).ownerId).not.toBe(holder.owner.ownerId);
  });

  it('counts as dead when its file is gone since another boot', async () => {
    const holder = await hold();
    await holder.kill();
    rmSync(fileOf(holder.owner));
    expect(await prober.judge({ ...holder.owner, bootId: 'an earlier one' })).toBe('dead');
    expect(await prober.judge(holder.owner)).toBe('unknown');
  });
});

describe('the keeper itself', () => {
  it('keeps its id as long as its file lies where it was', async () => {
    const first = await prober.identify();
    expect(await prober.identify()).toEqual(first);
    expect(await prober.judge(first)).toBe('alive');
  });

  it('counts as dead once it is closed, even if nobody could tell whether a claim names it', async () => {
    const keeper = newProber(() => {
      throw new StoreError('ERR_STORE_DAMAGED', 'the store is damaged');
    });
    const owner = await keeper.identify();
    expect(await prober.judge(owner)).toBe('alive');
    await expect(keeper.close()).rejects.toMatchObject({ code: 'ERR_STORE_DAMAGED' });
    expect(await prober.judge(owner)).toBe('dead');
  });

  it('begins one life however many ask at once', async () => {
    const owners = await Promise.all(Array.from({ length: 20 }, () => prober.identify()));
    expect(new Set(owners.map(({ ownerId }) => ownerId)).size).toBe(1);
  });
});

describe('cleaning', () => {
  it('removes files of dead keepers that no claim names, and no others', async () => {
    const living = await hold();
    const claimant = await hold();
    const forgotten = await hold();
    await claimant.kill();
    await forgotten.kill();
    named.add(claimant.owner.ownerId);
    await prober.clean();
    expect(await prober.judge(living.owner)).toBe('alive');
    expect(await prober.judge(claimant.owner)).toBe('dead');
    expect(await prober.judge(forgotten.owner)).toBe('unknown');
  });
});
