import { execFile } from 'node:child_process';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

/*
 * Several keepers over one store, simulated. Each range of seeds runs in a process of its own, where nothing but the simulation decides
 * what happens next; that of vitest loads modules in a time of its own.
 */

const TIMEOUT_MS = 300_000;
const SEEDS = 2_000;
const PROCESSES = 2;

it(`keeps every promise in ${String(SEEDS)} worlds`, { timeout: TIMEOUT_MS }, async () => {
  const share = SEEDS / PROCESSES;
  const ranges = Array.from({ length: PROCESSES }, (_, i) =>
    simulate('--from', String(i * share), '--count', String(share)),
  );
  for (const { broken, output } of await Promise.all(ranges)) {
    expect(broken, output).toEqual([]);
  }
});

it('does the same again with the same seed', { timeout: TIMEOUT_MS }, async () => {
  const [first, again] = await Promise.all([simulate('--seed', '7'), simulate('--seed', '7')]);
  expect(first.output.split('\n').length).toBeGreaterThan(50);
  expect(again.output).toBe(first.output);
});

describe('finds out that a defence is missing', () => {
  it.each(['intent', 'reread', 'generation-check', 'claim', 'owner-check', 'store-before-serve'])(
    '%s',
    { timeout: TIMEOUT_MS },
    async (defence) => {
      const { broken } = await simulate('--count', String(SEEDS), '--sabotage', defence);
      expect(broken).toHaveLength(1);
    },
  );
});

/** Runs the simulation as a process. `broken` holds its breaches, with the command that replays each. */
function simulate(
  ...args: readonly string[]
): Promise<{ readonly broken: readonly string[]; readonly output: string }> {
  const main = path.join(import.meta.dirname, 'main.ts');
  const argv = ['--conditions=evergrant-test', main, ...args];
  return new Promise((resolve, reject) => {
    execFile(process.execPath, argv, { maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
      const broken = stdout.split('\n').filter((line) => line.startsWith('broken promises'));
      if (error !== null && broken.length === 0 && !args.includes('--seed')) {
        reject(new Error(`the simulation failed: ${stdout}${stderr}`));
      } else resolve({ broken, output: stdout });
    });
  });
}
