import { socketOf } from '../../remote/socket.ts';
import { checkSocket } from '../../system/ownership.ts';
import { findDaemon } from '../daemon-at-hand.ts';
import { failure, ok, warning, type Check, type Finding, type Patient } from './check.ts';

/** Whether a daemon answers, which commands then use by themselves. */
export const daemon: Check = {
  name: 'daemon',
  exitCode: 2,
  async look(patient) {
    // Where settings cannot be read, the check of the settings has told why.
    const socket = await socketOf(patient.paths).catch(() => undefined);
    if (socket === undefined) return [];
    try {
      return await lookAt(socket, patient);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      return [failure(message, 'mend it, or use --direct until then')];
    }
  },
};

async function lookAt(socket: string, { session }: Patient): Promise<readonly Finding[]> {
  if (!(await checkSocket(socket))) return ok('none; commands open the store themselves');
  const { direct: isUnused = false } = session.globals;
  const keeper = await findDaemon(session);
  if (keeper === undefined) {
    return [
      warning(
        `nobody answers at ${socket}, which a daemon left behind`,
        'evergrant serve takes it over; until then commands open the store themselves',
      ),
    ];
  }
  await keeper.close();
  return ok(`answers at ${socket}; commands ${isUnused ? 'do not use it, by --direct' : 'use it'}`);
}
