import { failure, ok, warning, type Check } from './check.ts';

/** Node is new enough. */
export const nodeVersion: Check = {
  name: 'node version',
  exitCode: 2,
  async look() {
    const { node } = process.versions;
    if (Number(node.split('.')[0]) >= 24) return ok(`Node.js ${node}`);
    return [failure(`Node.js ${node} is too old`, 'install Node.js 24 or newer')];
  },
};

/** The operating system is one that evergrant is made for. */
export const platform: Check = {
  name: 'platform',
  exitCode: 2,
  async look() {
    if (process.platform === 'linux' || process.platform === 'darwin')
      return ok(`${process.platform} ${process.arch}`);
    return [failure(`${process.platform} is not supported`, 'use Linux or macOS')];
  },
};

/** The process does not run as root, whose files nobody else can use. */
export const user: Check = {
  name: 'user',
  exitCode: 2,
  async look() {
    const uid = process.getuid?.();
    if (uid !== 0) return ok(`user id ${String(uid)}`);
    return [warning('runs as root', 'run as the user who owns the connections')];
  },
};

/** Before the release of this version no clock can be right; instants of the future mean that it was set back. */
const NEWEST_PAST = 1_767_225_600_000; // 2026-01-01
const TOLERANCE_MS = 60_000;

/** The clock of the machine is about right. */
export const clock: Check = {
  name: 'clock',
  exitCode: 2,
  async look({ session, home }) {
    const now = session.clock.now();
    const remedy = 'set the clock, and keep it by NTP';
    if (now < NEWEST_PAST) return [failure('the clock of this machine is years behind', remedy)];
    if (home instanceof Error) return ok('plausible');
    const ahead = (await home.keeper.list()).filter(
      ({ receivedAt }) => (receivedAt ?? 0) > now + TOLERANCE_MS,
    );
    const [first] = ahead;
    if (first === undefined) return ok('plausible');
    return [
      warning(`the tokens of ${first.name} come from the future: the clock was set back`, remedy),
    ];
  },
};
