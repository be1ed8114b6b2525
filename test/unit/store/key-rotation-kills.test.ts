import { DatabaseSync } from 'node:sqlite';
import { expect, it, vi } from 'vitest';
import { dataKeyIdOf } from '../../../src/store/sealing.ts';
import { openStoreBelow } from '../../support/store-below.ts';
import { storeFolders } from '../../support/store-processes.ts';
import { clientRecord, connectionRecord, lifeEvent } from '../../support/store-records.ts';
import { timesAsMuch } from '../../support/times.ts';

vi.setConfig({ testTimeout: 120_000 * timesAsMuch() });

const newFolder = storeFolders();
const CONNECTIONS = 40;
/** Each is killed 4 ms later than the one before. */
const INSTANTS = 30;
const TRIALS = INSTANTS * timesAsMuch();

/** Ids of the data keys that anything in the file lies under. */
function keysInUse(file: string): ReadonlySet<string> {
  const database = new DatabaseSync(file, { readOnly: true });
  const rows = database
    .prepare('SELECT access_token AS s FROM connection UNION ALL SELECT secret AS s FROM client')
    .all();
  database.close();
  return new Set(rows.flatMap(({ s }) => (s instanceof Uint8Array ? [dataKeyIdOf(s)] : [])));
}

it('a rotation killed at any instant, while another process writes, loses nothing and is finished by the next', async () => {
  const folder = await newFolder();
  const store = await folder.open();
  await store.putClient(clientRecord(store));
  for (let i = 0; i < CONNECTIONS; i++) {
    await store.insert(connectionRecord(store, `c${String(i)}`), lifeEvent('connected'));
  }
  const writer = folder.run('keep-writing');
  await writer.line();
  const left: number[] = [];
  for (let trial = 0; trial < TRIALS; trial++) {
    const child = folder.run('rotate-key');
    await child.line();
    await new Promise((resolve) => setTimeout(resolve, (trial % INSTANTS) * 4));
    await child.kill();
    const fresh = await openStoreBelow(folder.home);
    expect(await fresh.findDamage()).toEqual([]);
    left.push(await fresh.resealAll());
    expect(await fresh.findDamage()).toEqual([]);
    await fresh.close();
  }
  writer.process.stdin?.end();
  await writer.done();
  const [current] = (await store.keyStatus()).dataKeys;
  expect(await store.resealAll()).toBe(0);
  expect([...keysInUse(folder.file)]).toEqual([current?.id]);
  for (const { connection } of await store.list()) {
    const generations = (await store.life(connection.id, 1_000)).map((line) => line.generation);
    expect(generations).toEqual(generations.map((_, i) => connection.generation - i));
  }
  console.log(`left to seal anew after each kill: ${left.join(' ')}`);
});
