import { startEmulator } from './emulator.ts';
import type { EmulatorOptions } from './options.ts';

/*
 * Runs an emulator as a process of its own: `node main.ts '<options as JSON>'`. Prints one line of JSON with its addresses as soon as
 * it listens, and ends on SIGTERM, SIGINT or when its standard input closes.
 */
const emulator = await startEmulator(JSON.parse(process.argv[2] ?? '{}') as EmulatorOptions);

const { origin, issuer, tokenEndpoint, authorizationEndpoint, deviceAuthorizationEndpoint } =
  emulator;
const { jwksUri, apiBase, controlUrl, caCertificate } = emulator;
process.stdout.write(
  `${JSON.stringify({ origin, issuer, tokenEndpoint, authorizationEndpoint, deviceAuthorizationEndpoint, jwksUri, apiBase, controlUrl, caCertificate })}\n`,
);

const end = (): void => {
  void emulator.close().then(() => process.exit(0));
};
process.once('SIGTERM', end);
process.once('SIGINT', end);
process.stdin.once('end', end).resume();
