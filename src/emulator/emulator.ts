import { createControlApi } from './control-api.ts';
import { createFaultPlan } from './faults/fault-plan.ts';
import { createLedger } from './ledger.ts';
import { startListeners } from './listeners.ts';
import type { Emulator, EmulatorEndpoints } from './handle.ts';
import { clientLevers, grantLevers, personLevers } from './levers.ts';
import { movableClock } from './movable-clock.ts';
import type { EmulatorOptions } from './options.ts';
import { createServerState, issuerOf, type AuthorizationServer } from './server.ts';
import { resolveSettings } from './settings.ts';

export type { GrantDescription } from './describe-grants.ts';
export type * from './faults/fault.ts';
export type { Emulator, EmulatorEndpoints } from './handle.ts';
export type { GrantRequest, IssuedGrant } from './issue-grant.ts';
export type { EndpointName, LedgerEntry, LedgerFilter } from './ledger-entry.ts';
export type { Ledger } from './ledger.ts';
export type * from './options.ts';
export type { MovableClock } from './movable-clock.ts';

/**
 * Starts an emulator on loopback.
 *
 * @throws RangeError or TypeError for an option that cannot be used; the system's error when a port is taken.
 */
export async function startEmulator(options: EmulatorOptions = {}): Promise<Emulator> {
  const settings = resolveSettings(options);
  const clock = movableClock(settings.clock);
  const server = createServerState(settings, clock);
  const ledger = createLedger();
  const faults = createFaultPlan();
  const closing = new AbortController();
  const service = { server, ledger, faults, closing: closing.signal };
  const control = createControlApi();
  const listeners = await startListeners(service, control.handle);
  server.origin = listeners.origin;
  server.apiOrigin = listeners.apiOrigin;
  const close = async (): Promise<void> => {
    closing.abort();
    faults.release();
    await listeners.close();
  };
  const emulator: Emulator = {
    ...endpointsOf(server),
    controlUrl: `${server.origin}/_emulator`,
    caCertificate: listeners.caCertificate,
    ledger,
    faults,
    clock,
    ...grantLevers(server),
    ...clientLevers(server),
    ...personLevers(server),
    close,
    [Symbol.asyncDispose]: close,
  };
  control.serve(emulator);
  return emulator;
}

function endpointsOf(server: AuthorizationServer): EmulatorEndpoints {
  const directory = `${server.origin}/${server.settings.entraTenantId}`;
  return {
    origin: server.origin,
    issuer: issuerOf(server),
    tokenEndpoint: `${directory}/oauth2/v2.0/token`,
    authorizationEndpoint: `${directory}/oauth2/v2.0/authorize`,
    deviceAuthorizationEndpoint: `${directory}/oauth2/v2.0/devicecode`,
    jwksUri: `${directory}/discovery/v2.0/keys`,
    apiBase: server.apiOrigin,
  };
}
