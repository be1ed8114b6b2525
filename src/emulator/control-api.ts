import type { ServerResponse } from 'node:http';
import type { Emulator } from './handle.ts';
import type { Fault, FaultMatch, RandomFaults } from './faults/fault.ts';
import type { GrantRequest } from './issue-grant.ts';
import type { LedgerFilter } from './ledger-entry.ts';
import type { ControlHandler } from './listeners.ts';
import type { EmulatorClient } from './options.ts';

/** What the control API takes at each path, as JSON. */
export interface ControlRequests {
  readonly 'ledger/wait': { readonly count: number; readonly filter?: LedgerFilter };
  readonly 'ledger/entries': { readonly filter?: LedgerFilter };
  readonly 'ledger/count': { readonly filter?: LedgerFilter };
  readonly 'ledger/clear': object;
  readonly fault: {
    readonly fault: Fault;
    readonly match?: FaultMatch & { readonly times?: number };
  };
  readonly 'fault/always': { readonly fault: Fault; readonly match?: FaultMatch };
  readonly 'fault/random': RandomFaults;
  readonly 'fault/clear': object;
  readonly release: { readonly count?: number };
  readonly 'clock/advance': { readonly ms: number };
  readonly grant: GrantRequest;
  readonly 'grant/revoke': { readonly grantId: string; readonly accessTokens?: boolean };
  readonly 'user/revoke': { readonly user: string; readonly accessTokens?: boolean };
  readonly 'user/disable': { readonly user: string; readonly disabled?: boolean };
  readonly 'consent/withdraw': { readonly user: string; readonly clientId: string };
  readonly 'client/register': EmulatorClient;
  readonly 'client/reset-secret': { readonly clientId: string };
  readonly 'client/set-secret': { readonly clientId: string; readonly secret: string };
  readonly 'client/expire-secret': { readonly clientId: string };
  readonly 'sign-in-as': { readonly user?: string };
  readonly 'device/decide': { readonly userCode: string; readonly user?: string };
  readonly 'token/alive': { readonly accessToken: string };
  readonly 'token/honoured': { readonly refreshToken: string };
}

type Actions = {
  readonly [Path in keyof ControlRequests]: (
    emulator: Emulator,
    body: ControlRequests[Path],
  ) => unknown;
};

const actions: Actions = {
  'ledger/wait': ({ ledger }, { count, filter }) => ledger.waitFor(count, filter),
  'ledger/entries': ({ ledger }, { filter }) => ledger.entries(filter),
  'ledger/count': ({ ledger }, { filter }) => ledger.count(filter),
  'ledger/clear': ({ ledger }) => {
    ledger.clear();
  },
  fault: ({ faults }, { fault, match }) => {
    faults.next(fault, match);
  },
  'fault/always': ({ faults }, { fault, match }) => {
    faults.always(fault, match);
  },
  'fault/random': ({ faults }, body) => {
    faults.random(body);
  },
  'fault/clear': ({ faults }) => {
    faults.clear();
  },
  release: ({ faults }, { count }) => faults.release(count),
  'clock/advance': ({ clock }, { ms }) => {
    clock.advance(ms);
    return clock.now();
  },
  grant: (emulator, body) => emulator.issueGrant(body),
  'grant/revoke': (emulator, { grantId, ...options }) => {
    emulator.revokeGrant(grantId, options);
  },
  'user/revoke': (emulator, { user, ...options }) => {
    emulator.revokeUser(user, options);
  },
  'user/disable': (emulator, { user, disabled }) => {
    emulator.disableUser(user, disabled);
  },
  'consent/withdraw': (emulator, { user, clientId }) => {
    emulator.withdrawConsent(user, clientId);
  },
  'client/register': (emulator, client) => {
    emulator.registerClient(client);
  },
  'client/reset-secret': (emulator, { clientId }) => emulator.resetClientSecret(clientId),
  'client/set-secret': (emulator, { clientId, secret }) => {
    emulator.setClientSecret(clientId, secret);
  },
  'client/expire-secret': (emulator, { clientId }) => {
    emulator.expireClientSecret(clientId);
  },
  'sign-in-as': (emulator, { user }) => {
    emulator.signInAs(user);
  },
  'device/decide': (emulator, { userCode, user }) => {
    emulator.decideDevice(userCode, user === undefined ? 'deny' : { user });
  },
  'token/alive': (emulator, { accessToken }) => emulator.isAccessTokenAlive(accessToken),
  'token/honoured': (emulator, { refreshToken }) => emulator.isRefreshTokenHonoured(refreshToken),
};

/**
 * The API by which a test in another process drives an emulator: `GET /_emulator/state` and `/_emulator/ledger`, and `POST` with a JSON body to the paths of
 * `ControlRequests`. Answers `{ "result": ... }`, or 400 with `{ "error": text }`. It is open to every program on the machine.
 */
export function createControlApi(): { handle: ControlHandler; serve(emulator: Emulator): void } {
  let served: Emulator | undefined;
  return {
    serve: (emulator) => void (served = emulator),
    handle(request, response) {
      const path = request.path.replace(/^\/_emulator\//, '');
      const work = async (): Promise<unknown> => {
        if (served === undefined) throw new TypeError('the emulator is still starting');
        if (request.method === 'GET' && path === 'state') return stateOf(served);
        if (request.method === 'GET' && path === 'ledger') return served.ledger.entries();
        // A JSON content type keeps web pages out: they cannot send one across origins without asking.
        const type = request.headers['content-type'] ?? '';
        if (request.method !== 'POST' || !type.startsWith('application/json')) {
          throw new TypeError('use POST with a JSON body, or GET state or ledger');
        }
        return run(served, path, JSON.parse(request.body) as object);
      };
      work().then(
        (result) => {
          send(response, 200, { result });
        },
        (error: unknown) => {
          send(response, 400, { error: error instanceof Error ? error.message : String(error) });
        },
      );
    },
  };
}

function stateOf(emulator: Emulator): object {
  return {
    now: emulator.clock.now(),
    held: emulator.faults.held,
    requests: emulator.ledger.count(),
    grants: emulator.describe(),
  };
}

async function run(emulator: Emulator, path: string, body: object): Promise<unknown> {
  if (!Object.hasOwn(actions, path)) throw new TypeError(`the control API has no ${path}`);
  const action = actions[path as keyof Actions] as (emulator: Emulator, body: object) => unknown;
  return (await action(emulator, body)) ?? null;
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' });
  response.end(JSON.stringify(body));
}
