import { daemonAtHand } from '../daemon-at-hand.ts';
import { socketOf } from '../../remote/socket.ts';
import { checkSocket } from '../../system/files.ts';
import { failure, ok, warning, type Check } from './check.ts';

/** Whether a daemon answers, which commands then use by themselves. */
export const daemon: Check = {
  name: 'daemon',
  exitCode: 2,
  look: async ({ session, paths }) => {
    try {
      const socket = await socketOf(paths);
      if (!(await checkSocket(socket))) return ok('none; commands open the store themselves');
      const keeper = await daemonAtHand({
        ...session,
        globals: { ...session.globals, direct: false },
      });
      if (keeper === undefined) {
        return [
          warning(
            `nobody answers at ${socket}, which a daemon left behind`,
            'evergrant serve takes it over; until then commands open the store themselves',
          ),
        ];
      }
      await keeper.close();
      const isUsed = session.globals.direct !== true;
      return ok(`answers at ${socket}; commands ${isUsed ? 'use it' : 'do not, by --direct'}`);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      return [failure(message, 'mend it, or use --direct until then')];
    }
  },
};
