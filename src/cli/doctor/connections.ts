import type { ClientStatus, ConnectionStatus } from '../../keeper-api.ts';
import { relativeTime } from '../output/relative-time.ts';
import { inOpenHome, ok, warning, type Check, type Finding } from './check.ts';

const SECRET_WARNING_MS = 30 * 86_400_000;
const NONE = 'none yet';

/** Nobody has to act on a connection. */
export const connections: Check = {
  name: 'connections',
  exitCode: 9,
  look: (patient) =>
    inOpenHome(patient, async ({ keeper }) => {
      const all = await keeper.list();
      const found = all.flatMap(connectionFinding);
      if (found.length > 0) return found;
      return ok(
        all.length === 0 ? NONE : `${String(all.length)}, on none of which anybody must act`,
      );
    }),
};

function connectionFinding({
  name,
  state,
  reason,
  remedy,
  actor,
  lastError,
}: ConnectionStatus): readonly Finding[] {
  if (state === 'attention' || state === 'uncertain') {
    return [
      warning(
        `${name}: ${state}${reason === undefined ? '' : `, ${reason}`}`,
        remedy ?? `evergrant explain ${name}`,
      ),
    ];
  }
  if (state !== 'active') return [];
  if (actor !== undefined && actor !== 'nobody') {
    return [
      warning(
        `${name}: the server refuses the client${reason === undefined ? '' : `: ${reason}`}`,
        `nothing is tried until then: ${remedy ?? `evergrant explain ${name}`}`,
      ),
    ];
  }
  if (lastError === undefined) return [];
  return [
    warning(
      `${name}: ${lastError.message}`,
      `it is tried again by itself; evergrant explain ${name}`,
    ),
  ];
}

/** No token endpoint is left alone for a while. */
export const endpoints: Check = {
  name: 'token endpoints',
  exitCode: 9,
  look: (patient) =>
    inOpenHome(patient, async ({ store }) => {
      const now = patient.session.clock.now();
      const all = await store.endpoints();
      const alone = all.filter(({ blockedUntil }) => blockedUntil > now);
      if (alone.length === 0) {
        return ok(all.length === 0 ? NONE : `${String(all.length)}, none left alone`);
      }
      return alone.map(({ endpoint, blockedUntil, blockedBecause }) =>
        warning(
          `${endpoint} is asked again ${relativeTime(blockedUntil, now)}: ${blockedBecause ?? 'the server is failing'}`,
          'nothing: it is tried again by itself, and expired connections wait until then',
        ),
      );
    }),
};

/** No registration is refused or about to lose its secret. */
export const registrations: Check = {
  name: 'registrations',
  exitCode: 9,
  look: (patient) =>
    inOpenHome(patient, async ({ keeper }) => {
      const all = await keeper.clients();
      const found = all.flatMap((client) => clientFinding(client, patient.session.clock.now()));
      if (found.length > 0) return found;
      return ok(all.length === 0 ? NONE : `${String(all.length)}, none refused${unusedAmong(all)}`);
    }),
};

function unusedAmong(all: readonly ClientStatus[]): string {
  const unused = all.filter(({ connections: used }) => used === 0).map(({ clientId }) => clientId);
  if (unused.length === 0) return '';
  return `; used by no connection: ${unused.join(', ')} (evergrant client remove)`;
}

function clientFinding(client: ClientStatus, now: number): readonly Finding[] {
  const remedy = `evergrant client set-secret ${client.clientId}`;
  if (client.refusedAt !== undefined) {
    return [
      warning(
        `client ${client.clientId} is refused: ${client.refusal ?? 'no reason told'}`,
        remedy,
      ),
    ];
  }
  const ends = client.secretExpiresAt;
  if (ends === undefined || ends > now + SECRET_WARNING_MS) return [];
  const verb = ends > now ? 'ends' : 'ended';
  return [
    warning(`the secret of client ${client.clientId} ${verb} ${relativeTime(ends, now)}`, remedy),
  ];
}
