import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { ControlRequests } from '../../src/emulator/control-api.ts';
import type {
  Emulator,
  EmulatorClient,
  EmulatorEndpoints,
  EmulatorOptions,
  Fault,
  FaultMatch,
  GrantDescription,
  GrantRequest,
  IssuedGrant,
  LedgerEntry,
  LedgerFilter,
  RandomFaults,
} from '../../src/emulator/emulator.ts';

type Addresses = EmulatorEndpoints & Pick<Emulator, 'controlUrl' | 'caCertificate'>;

/** Options that can cross into another process. */
export type EmulatorProcessOptions = Omit<EmulatorOptions, 'clock' | 'random'>;

/** An emulator in a process of its own, with the methods of `Emulator`, each a promise. */
export interface EmulatorProcess extends Addresses, AsyncDisposable {
  readonly process: ChildProcess;
  readonly ledger: {
    entries(filter?: LedgerFilter): Promise<LedgerEntry[]>;
    count(filter?: LedgerFilter): Promise<number>;
    clear(): Promise<void>;
    waitFor(count: number, filter?: LedgerFilter): Promise<LedgerEntry[]>;
  };
  readonly faults: {
    next(fault: Fault, match?: FaultMatch & { readonly times?: number }): Promise<void>;
    always(fault: Fault, match?: FaultMatch): Promise<void>;
    random(faults: RandomFaults): Promise<void>;
    clear(): Promise<void>;
    release(count?: number): Promise<number>;
    /** How many requests are held now. */
    held(): Promise<number>;
  };
  readonly clock: { advance(ms: number): Promise<void>; now(): Promise<number> };
  issueGrant(request?: GrantRequest): Promise<IssuedGrant>;
  describe(): Promise<GrantDescription[]>;
  isAccessTokenAlive(token: string): Promise<boolean>;
  isRefreshTokenHonoured(token: string): Promise<boolean>;
  revokeUser(user: string, options?: { readonly accessTokens?: boolean }): Promise<void>;
  revokeGrant(grantId: string, options?: { readonly accessTokens?: boolean }): Promise<void>;
  disableUser(user: string, disabled?: boolean): Promise<void>;
  withdrawConsent(user: string, clientId: string): Promise<void>;
  resetClientSecret(clientId: string): Promise<string>;
  setClientSecret(clientId: string, secret: string): Promise<void>;
  expireClientSecret(clientId: string): Promise<void>;
  registerClient(client: EmulatorClient): Promise<void>;
  signInAs(user: string | undefined): Promise<void>;
  decideDevice(userCode: string, decision: { readonly user: string } | 'deny'): Promise<void>;
  /** Ends the process and waits until it has gone. */
  close(): Promise<void>;
}

interface State {
  readonly now: number;
  readonly held: number;
  readonly grants: GrantDescription[];
}

/** Starts `src/emulator/main.ts` with this Node and waits until it listens. */
export async function startEmulatorProcess(
  options: EmulatorProcessOptions = {},
): Promise<EmulatorProcess> {
  const main = new URL('../../src/emulator/main.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, [main, JSON.stringify(options)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout });
  const [line] = (await Promise.race([once(lines, 'line'), once(child, 'exit')])) as [unknown];
  if (typeof line !== 'string') throw new Error(`the emulator ended with code ${String(line)}`);
  const addresses = JSON.parse(line) as Addresses;
  const close = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGTERM');
    await once(child, 'exit');
  };
  return {
    ...addresses,
    process: child,
    ...remoteMethods(connectTo(addresses.controlUrl)),
    close,
    [Symbol.asyncDispose]: close,
  };
}

interface Remote {
  call<Path extends keyof ControlRequests>(
    path: Path,
    body: ControlRequests[Path],
  ): Promise<unknown>;
  /** The same, for orders without a result. */
  run<Path extends keyof ControlRequests>(path: Path, body: ControlRequests[Path]): Promise<void>;
  state(): Promise<State>;
}

function connectTo(controlUrl: string): Remote {
  const read = async (response: Response): Promise<unknown> => {
    const body = (await response.json()) as { result?: unknown; error?: string };
    if (body.error !== undefined) throw new TypeError(body.error);
    return body.result;
  };
  const call: Remote['call'] = async (path, body) =>
    read(
      await fetch(`${controlUrl}/${path}`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify(body),
      }),
    );
  return {
    call,
    run: async (path, body) => {
      await call(path, body);
    },
    state: async () => (await read(await fetch(`${controlUrl}/state`))) as State,
  };
}

function remoteMethods(
  remote: Remote,
): Omit<EmulatorProcess, keyof Addresses | 'process' | 'close' | typeof Symbol.asyncDispose> {
  const { call, run, state } = remote;
  return {
    ledger: remoteLedger(remote),
    faults: remoteFaults(remote),
    clock: {
      advance: (ms) => run('clock/advance', { ms }),
      now: async () => (await state()).now,
    },
    issueGrant: async (request = {}) => (await call('grant', request)) as IssuedGrant,
    describe: async () => (await state()).grants,
    isAccessTokenAlive: async (accessToken) =>
      (await call('token/alive', { accessToken })) as boolean,
    isRefreshTokenHonoured: async (refreshToken) =>
      (await call('token/honoured', { refreshToken })) as boolean,
    revokeUser: (user, options = {}) => run('user/revoke', { user, ...options }),
    revokeGrant: (grantId, options = {}) => run('grant/revoke', { grantId, ...options }),
    disableUser: (user, disabled = true) => run('user/disable', { user, disabled }),
    withdrawConsent: (user, clientId) => run('consent/withdraw', { user, clientId }),
    resetClientSecret: async (clientId) =>
      (await call('client/reset-secret', { clientId })) as string,
    setClientSecret: (clientId, secret) => run('client/set-secret', { clientId, secret }),
    expireClientSecret: (clientId) => run('client/expire-secret', { clientId }),
    registerClient: (client) => run('client/register', client),
    signInAs: (user) => run('sign-in-as', user === undefined ? {} : { user }),
    decideDevice: (userCode, decision) =>
      run('device/decide', { userCode, ...(decision === 'deny' ? {} : decision) }),
  };
}

function remoteLedger({ call, run }: Remote): EmulatorProcess['ledger'] {
  return {
    entries: async (filter = {}) => (await call('ledger/entries', { filter })) as LedgerEntry[],
    count: async (filter = {}) => (await call('ledger/count', { filter })) as number,
    clear: () => run('ledger/clear', {}),
    waitFor: async (count, filter = {}) =>
      (await call('ledger/wait', { count, filter })) as LedgerEntry[],
  };
}

function remoteFaults({ call, run, state }: Remote): EmulatorProcess['faults'] {
  return {
    next: (fault, match = {}) => run('fault', { fault, match }),
    always: (fault, match = {}) => run('fault/always', { fault, match }),
    random: (faults) => run('fault/random', faults),
    clear: () => run('fault/clear', {}),
    release: async (count) =>
      (await call('release', count === undefined ? {} : { count })) as number,
    held: async () => (await state()).held,
  };
}
