import { expect, it } from 'vitest';
import { openFewFiles } from './experiments/few-files.ts';

it('a process that may open ever fewer files loses no answer, and is well again without that limit', async () => {
  const { counted, violations } = await openFewFiles({ trials: 1, seed: 0 }, 6);
  console.log(counted);
  expect(violations).toEqual([]);
  expect(counted['requests']).toBeGreaterThan(0);
}, 240_000);
