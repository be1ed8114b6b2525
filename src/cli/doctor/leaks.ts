import { failure, ok, warning, type Check, type Finding } from './check.ts';

interface Danger {
  readonly variable: string;
  readonly isDangerous: (value: string) => boolean;
  readonly finding: Finding;
}

const isSet = (value: string): boolean => value !== '';

const DANGERS: readonly Danger[] = [
  {
    variable: 'NODE_TLS_REJECT_UNAUTHORIZED',
    isDangerous: (value) => value === '0',
    finding: failure(
      'NODE_TLS_REJECT_UNAUTHORIZED=0 makes programs send tokens to anybody on the way; only evergrant checks certificates all the same',
      'unset it; NODE_EXTRA_CA_CERTS adds an authority of your own',
    ),
  },
  {
    variable: 'NODE_DEBUG',
    isDangerous: (value) => /\b(http|https|tls|net|fs|undici)\b|\*/i.test(value),
    finding: warning('NODE_DEBUG makes Node print requests with their secrets', 'unset it'),
  },
  {
    variable: 'NODE_OPTIONS',
    isDangerous: (value) => /--inspect\b/.test(value),
    finding: warning(
      'NODE_OPTIONS opens a debugger port, through which every secret can be read',
      'remove --inspect from it',
    ),
  },
  {
    variable: 'NODE_OPTIONS',
    isDangerous: (value) =>
      /--(require|import|loader|experimental-loader)\b|(^|\s)-r\b/.test(value),
    finding: warning(
      'NODE_OPTIONS loads code into every Node process, which sees every secret',
      'make sure that it is yours',
    ),
  },
  {
    variable: 'NODE_OPTIONS',
    isDangerous: (value) => /--(report-|heapsnapshot|heap-prof|diagnostic-dir)/.test(value),
    finding: warning(
      'NODE_OPTIONS may write memory, and the secrets in it, to files',
      'remove the reports from it',
    ),
  },
  {
    variable: 'SSLKEYLOGFILE',
    isDangerous: isSet,
    finding: warning('SSLKEYLOGFILE is set, by which TLS traffic is made readable', 'unset it'),
  },
];

/** No variable of the environment gives secrets away. */
export const environment: Check = {
  name: 'environment',
  exitCode: 2,
  async look({ session }) {
    const found = DANGERS.filter(({ variable, isDangerous }) =>
      isDangerous(session.environment[variable] ?? ''),
    );
    return found.length === 0 ? ok('no dangerous variable') : found.map(({ finding }) => finding);
  },
};

/** No debugger is attached, which could read every secret. */
export const debuggerCheck: Check = {
  name: 'debugger',
  exitCode: 2,
  async look() {
    const { url } = await import('node:inspector');
    if (url() === undefined) return ok('none attached');
    return [
      warning(
        'a debugger port is open, through which every secret can be read',
        'run without --inspect',
      ),
    ];
  },
};
