import type { Emulator } from '../../emulator/emulator.ts';
import type { EmulatorAccess } from './access.ts';

/** How evergrant is to be started and what it is to be told besides. */
export interface CommandDetails {
  /** `evergrant`, or how else it is run. */
  readonly program: string;
  /** File of the authority's certificate, where the emulator speaks https. */
  readonly caFile: string | undefined;
  /** Further options, such as what a refresh does to the refresh token. */
  readonly further: readonly string[];
}

/** What the connection is called. */
const NAME = 'emulated';

/**
 * Commands for bash and zsh that connect to an emulator, by a sign-in or with tokens issued without one. No secret stands among the
 * arguments of evergrant, and none is left in a file.
 */
export function emulatorCommands(
  emulator: Emulator,
  access: EmulatorAccess,
  details: CommandDetails,
): { readonly connect: string; readonly add: string } {
  const { program, caFile } = details;
  const trust = caFile === undefined ? '' : `NODE_EXTRA_CA_CERTS=${quoted(caFile)} `;
  const registration = registrationOptions(emulator, access, details.further);
  const line = (verb: string, more: readonly string[]): string =>
    [`${trust}${program} ${verb} ${NAME} --provider perspio`, ...more, ...registration].join(' ');
  return {
    connect: line('connect', []),
    add: line('add', [`--refresh-token-file <(${grantRequest(emulator, caFile)})`]),
  };
}

function registrationOptions(
  emulator: Emulator,
  access: EmulatorAccess,
  further: readonly string[],
): readonly string[] {
  return [
    `--client-id ${quoted(access.clientId)}`,
    `--client-secret-file <(printf %s ${quoted(access.clientSecret)})`,
    `--subscription-key-file <(printf %s ${quoted(access.subscriptionKey)})`,
    `--perspio-tenant ${quoted(access.perspioTenantId)}`,
    `--issuer ${emulator.issuer}`,
    `--token-endpoint ${emulator.tokenEndpoint}`,
    `--authorization-endpoint ${emulator.authorizationEndpoint}`,
    `--device-authorization-endpoint ${emulator.deviceAuthorizationEndpoint}`,
    `--jwks-uri ${emulator.jwksUri}`,
    `--api-origin ${emulator.apiBase}`,
    ...(emulator.caCertificate === undefined ? ['--insecure-loopback'] : []),
    ...further,
  ];
}

/** Asks the control API for a refresh token and prints it alone. */
function grantRequest({ controlUrl }: Emulator, caFile: string | undefined): string {
  const trust = caFile === undefined ? '' : ` --cacert ${quoted(caFile)}`;
  const request = `curl -s${trust} -H 'content-type: application/json' -d '{}' ${controlUrl}/grant`;
  return String.raw`${request} | sed 's/.*"refreshToken":"\([^"]*\)".*/\1/'`;
}

/** As one word of a shell, whatever it holds. */
function quoted(text: string): string {
  return /^[\w./@:+-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
