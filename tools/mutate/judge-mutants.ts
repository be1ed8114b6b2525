import { spawn } from 'node:child_process';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { once } from 'node:events';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Plan, SoundRun, Verdicts } from './verdicts.ts';

/*
 * Has mutants judged by processes of Vitest, two for each core, since many mutants make a test wait. A process that a mutant has brought to a stand is replaced, and the next one
 * goes on behind that mutant.
 */

/** A process that has not judged another mutant for this long stands still. */
const STILL_MS = 600_000;
const LOOK_MS = 2_000;

/** Judges all of them by these tests of the mutated copy, and tells how far it is. */
export async function judgeMutants(
  folder: string,
  { tests, effort, mutants }: Pick<Plan, 'tests' | 'effort' | 'mutants'>,
): Promise<Verdicts> {
  const sound = path.join(folder, 'sound.json');
  writeConfig(folder);
  const verdicts = path.join(folder, 'none.json');
  await runProcess(folder, { tests, effort, mutants: [], verdicts, sound });
  const { costs } = JSON.parse(readFileSync(sound, 'utf8')) as SoundRun;
  console.log(`${String(Object.keys(costs).length)} tests, ${String(mutants.length)} mutants`);
  const lanes = 2 * availableParallelism();
  const done: Verdicts = {};
  await Promise.all(
    Array.from({ length: lanes }, async (_, lane) => {
      let left = mutants.filter((_id, i) => i % lanes === lane);
      for (let part = 0; left.length > 0; part++) {
        const verdicts = path.join(folder, `verdicts-${String(lane)}-${String(part)}.json`);
        const told = await runProcess(folder, { tests, effort, mutants: left, verdicts, sound });
        if (!existsSync(verdicts)) throw new Error(`no mutant was judged:\n${told}`);
        Object.assign(done, JSON.parse(readFileSync(verdicts, 'utf8')));
        left = left.filter((id) => done[id] === undefined);
        console.log(`${String(Object.keys(done).length)} of ${String(mutants.length)} judged`);
      }
    }),
  );
  return done;
}

/** @returns what it printed last. */
async function runProcess(folder: string, plan: Plan): Promise<string> {
  const vitest = path.join(folder, 'node_modules/vitest/vitest.mjs');
  const child = spawn(
    process.execPath,
    [vitest, 'run', '--config', configOf(folder), '--silent', '--hideSkippedTests'],
    {
      cwd: folder,
      env: { ...process.env, MUTATION_PLAN: JSON.stringify(plan) },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    },
  );
  let told = '';
  for (const output of [child.stdout, child.stderr])
    output.on('data', (chunk: Buffer) => (told = (told + chunk.toString('utf8')).slice(-4_000)));
  const ended = once(child, 'close');
  const isOver = ended.then(() => true);
  while (!(await Promise.race([isOver, delay(LOOK_MS, false)]))) {
    if (!isStill(plan.verdicts)) continue;
    process.kill(-(child.pid ?? 0), 'SIGKILL');
    break;
  }
  await ended;
  if (plan.mutants.length === 0 && child.exitCode !== 0)
    throw new Error(`the tests failed:\n${told}`);
  return told;
}

function isStill(verdicts: string): boolean {
  return existsSync(verdicts) && Date.now() - statSync(verdicts).mtimeMs > STILL_MS;
}

function configOf(folder: string): string {
  return path.join(folder, 'vitest.config.ts');
}

function writeConfig(folder: string): void {
  const conditions = ['evergrant-test', 'node', 'import', 'module', 'default'];
  const config = {
    resolve: { conditions },
    ssr: { resolve: { conditions } },
    test: {
      include: ['mutants.process.ts'],
      dir: path.join(folder, 'tools/mutate'),
      pool: 'forks',
      testTimeout: 300_000,
      hookTimeout: 300_000,
      // A mutant may leave something behind that fails when its test is long over.
      dangerouslyIgnoreUnhandledErrors: true,
    },
  };
  writeFileSync(configOf(folder), `export default ${JSON.stringify(config)};`);
}
