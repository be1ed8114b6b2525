import type { SealContext } from '../../src/connection/secrets.ts';
import { seededRandom } from '../../src/emulator/seeded-random.ts';
import { StoreError } from '../../src/errors.ts';
import { createDataKey, DataKeys } from '../../src/store/sealing.ts';
import { Findings } from '../faults/experiments/findings.ts';

/** Every sealed value is tried in every other place: none may open there. */
export function swapSealedValues(): Promise<Findings> {
  const findings = new Findings('swaps', 'opened elsewhere');
  const random = seededRandom(1);
  const master = random.bytes(32);
  const key = createDataKey(random, master, 'store-1');
  const keys = new DataKeys(random, master, 'store-1', { first: key, current: key }, () => key);
  const places: SealContext[] = ['connection-1', 'connection-2', 'client-1'].flatMap((record) =>
    ['accessToken', 'refreshToken', 'clientSecret'].flatMap((field) =>
      [0, 1, 2].map((generation) => ({ record, field, generation })),
    ),
  );
  for (const from of places) {
    const sealed = keys.seal('a token', from);
    for (const to of places.filter((place) => place !== from)) {
      findings.count('swaps');
      const detail = `${JSON.stringify(from)} in ${JSON.stringify(to)}`;
      findings.check(
        isRefused(() => keys.open(sealed, to)),
        'opened elsewhere',
        detail,
      );
    }
  }
  return Promise.resolve(findings);
}

function isRefused(open: () => unknown): boolean {
  try {
    open();
    return false;
  } catch (error) {
    return error instanceof StoreError;
  }
}
