import { NAME } from './registration.ts';
import type { EvergrantProcess } from './evergrant-process.ts';
import type { World } from './world.ts';

/**
 * Waits until the emulator holds back the answer to a request that it has carried out.
 *
 * @throws with what they said, when the processes end before that.
 */
export async function untilHeld(
  { emulator, signal }: World,
  processes: readonly EvergrantProcess[],
): Promise<void> {
  const ended = Promise.all(processes.map(({ finished }) => finished)).then(([first]) => {
    throw new Error(`nothing was sent: ${first?.stderr ?? ''}`);
  });
  await Promise.race([ended, emulator.ledger.waitFor(1, { held: true, committed: true }, signal)]);
}

/**
 * Lets a process refresh the token and kills it between the server's commit and its answer: the server has issued a new refresh token that
 * nobody will ever see.
 *
 * @returns the signal that ended the process.
 */
export async function killDuringRefresh(world: World): Promise<string | undefined> {
  const { faults } = world.emulator;
  faults.next('hold-after-commit');
  const victim = world.run('token', NAME);
  await untilHeld(world, [victim]);
  victim.kill();
  const ended = await victim.finished;
  faults.release();
  return ended.signal;
}
