import { NAME } from './registration.ts';
import type { World } from './world.ts';

/**
 * Lets a process refresh the token and kills it between the server's commit and its answer: the server has issued a new refresh token that
 * nobody will ever see.
 *
 * @returns the signal that ended the process.
 */
export async function killDuringRefresh(world: World): Promise<string | undefined> {
  const { faults, ledger } = world.emulator;
  faults.next('hold-after-commit');
  const victim = world.run('token', NAME);
  await ledger.waitFor(1, { held: true, committed: true }, world.signal);
  victim.kill();
  const ended = await victim.finished;
  faults.release();
  return ended.signal;
}
