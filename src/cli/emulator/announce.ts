import { resolve } from 'node:path';
import type { Emulator } from '../../emulator/emulator.ts';
import { commandName } from '../output/command-name.ts';
import { print, printJson, tell, type Session } from '../session.ts';
import type { EmulatorAccess } from './access.ts';
import { emulatorCommands } from './commands.ts';

/** The options of `evergrant emulator` that its clients must know. */
interface AnnounceOptions {
  readonly json?: boolean;
  readonly caFile?: string;
  readonly rotation?: string;
  readonly grace?: string;
}

/** The emulator's own, see `graceMs` of its options. */
const DEFAULT_GRACE = '30s';

/** Tells where the emulator is, what a client of it needs, and commands to paste. */
export function announce(
  session: Session,
  emulator: Emulator,
  access: EmulatorAccess,
  { json, caFile, rotation, grace = DEFAULT_GRACE }: AnnounceOptions,
): void {
  const endpoints = endpointsOf(emulator);
  const { caCertificate } = emulator;
  const commands = emulatorCommands(emulator, access, {
    program: commandName(session),
    caFile: caFile === undefined ? undefined : resolve(caFile),
    further: [
      ...(rotation === undefined ? [] : [`--rotation ${rotation}`]),
      ...(rotation === 'grace' ? [`--grace ${grace}`] : []),
    ],
  });
  if (json === true) {
    return printJson(session, { ...endpoints, caCertificate, ...access, commands });
  }
  for (const [name, value] of Object.entries({ ...endpoints, ...access }))
    print(session, `${name.padEnd(28)}${value}`);
  sayCommands(session, commands, caCertificate !== undefined && caFile === undefined);
  tell(session, '\nrunning until Ctrl-C');
}

function endpointsOf(emulator: Emulator): Readonly<Record<string, string>> {
  const { origin, issuer, tokenEndpoint, authorizationEndpoint } = emulator;
  const { deviceAuthorizationEndpoint, jwksUri, apiBase, controlUrl } = emulator;
  return {
    ...{ origin, issuer, tokenEndpoint, authorizationEndpoint },
    ...{ deviceAuthorizationEndpoint, jwksUri, apiBase, controlUrl },
  };
}

function sayCommands(
  session: Session,
  { connect, add }: ReturnType<typeof emulatorCommands>,
  isUntrusted: boolean,
): void {
  const evergrant = commandName(session);
  const lines = [
    '',
    'In another terminal, with bash or zsh, a home to throw away:',
    '',
    '  export EVERGRANT_HOME="$(mktemp -d)"',
    '',
    ...(isUntrusted ? ['Start the emulator with --ca-file FILE, so that it is trusted.', ''] : []),
    'A connection by a sign-in:',
    '',
    `  ${connect}`,
    '',
    'Or one with a refresh token that the emulator issues for this:',
    '',
    `  ${add}`,
    '',
    `Then: ${evergrant} token emulated, ${evergrant} call emulated /assets/v3/`,
  ];
  for (const line of lines) tell(session, line);
}
