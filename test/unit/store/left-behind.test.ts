import { mkdir, readdir, rename, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { Spills, type Spill } from '../../../src/refresh/spill.ts';
import type { Store } from '../../../src/store/store.ts';
import { openStoreBelow } from '../../support/store-below.ts';
import { storeFolders } from '../../support/store-processes.ts';
import { tokenSet } from '../../support/store-records.ts';

/*
 * Writers that were killed between making a file and giving it its name.
 */

const newFolder = storeFolders();
const TEMPORARY = '0123456789ab.tmp';

/** Writes a file that nobody has touched for a while. */
async function leave(file: string, content: string, minutes = 11): Promise<void> {
  await writeFile(file, content, { mode: 0o600 });
  await age(file, minutes);
}

async function age(file: string, minutes = 11): Promise<void> {
  const at = new Date(Date.now() - minutes * 60_000);
  await utimes(file, at, at);
}

function spillOf(store: Store, attemptId: string): Spill {
  const attempt = { attemptId, grantId: 'grant-1', generation: 1 } as Spill['attempt'];
  const tokens = tokenSet(store, 'connection-1', 2);
  return { connectionId: 'connection-1', attempt, tokens, unusableType: undefined };
}

it('leave an answer that lacks nothing but its name, which is kept, and halves of others, which go', async () => {
  const { home } = await newFolder();
  const store = await openStoreBelow(home);
  const folder = path.join(home, 'spill');
  const spills = new Spills(folder, store);
  expect(await spills.attempts()).toEqual([]);
  await spills.tidy();
  await spills.write(spillOf(store, 'whole'));
  await spills.write(spillOf(store, 'young'));
  await rename(path.join(folder, 'whole.spill'), path.join(folder, `whole.spill.${TEMPORARY}`));
  await age(path.join(folder, `whole.spill.${TEMPORARY}`));
  await rename(path.join(folder, 'young.spill'), path.join(folder, `young.spill.${TEMPORARY}`));
  await leave(path.join(folder, `half.spill.${TEMPORARY}`), '{"version":1,"storeId":"');
  await leave(path.join(folder, `reserve.${TEMPORARY}`), 'x'.repeat(100));
  await leave(path.join(folder, 'of-others.tmp'), 'x');
  await spills.tidy();
  expect((await readdir(folder)).sort()).toEqual([
    ...['of-others.tmp', 'whole.spill', `young.spill.${TEMPORARY}`],
  ]);
  expect((await spills.find('whole'))?.attempt.attemptId).toBe('whole');
  await store.close();
});

it('leave nothing beside the master key for good', async () => {
  const { home } = await newFolder();
  const store = await openStoreBelow(home);
  const key = path.join(home, 'key');
  await leave(path.join(key, `master.key.${TEMPORARY}`), 'x');
  await leave(path.join(key, `store.mark.${TEMPORARY}`), 'x');
  await leave(path.join(key, 'store.mark.0123456789ac.tmp'), 'x', 9);
  await mkdir(path.join(key, 'folder.0123456789ac.tmp'));
  await store.tidy();
  const names = (await readdir(key)).filter((name) => name.endsWith('.tmp'));
  expect(names.sort()).toEqual(['folder.0123456789ac.tmp', 'store.mark.0123456789ac.tmp']);
  await store.close();
});
