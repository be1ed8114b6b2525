import type { EmulatorProcess } from '../../support/emulator-process.ts';
import type { KeeperProcess, Served } from '../../support/keeper-process.ts';
import type { KeptHome } from '../../support/kept-home.ts';
import { inLanes } from '../../support/lanes.ts';
import { keptHomeAt, LIFE_MS, ROTATIONS, startServer, type Rotation } from './servers.ts';

/*
 * A keeper is killed by SIGKILL at a named step of a refresh. Another one opens the home while the access token lives, and a third one
 * after it has expired. What they find and do is compared with a written table.
 */

/** The steps at which a keeper is killed, in the order of a refresh. */
export const POINTS = [
  'before-lock',
  'after-lock',
  /** Before connecting and after it, by turns. */
  'connect',
  'after-intent',
  'after-send',
  /** The server has committed and holds the answer back. */
  'committed',
  /** The answer's head has come, and some of its body. */
  'half-answer',
  'full-answer',
  'inside-commit',
  'after-commit',
  'before-reply',
] as const;

/** See {@link POINTS}. */
export type Point = (typeof POINTS)[number];

/** What was seen of one kill. */
export interface Aftermath {
  /** Requests that the server had got when the keeper was dead. */
  readonly sent: number;
  /** After a restart while the access token lives, once all healing is done. */
  readonly living: Standing;
  /** Whether the server would still take the refresh token that the store holds then. */
  readonly honoured: boolean;
  /** After a restart when the access token has expired. */
  readonly expired: Standing;
}

/** How the connection stands after a keeper was asked for a token. */
export interface Standing {
  /** What the caller got: the token from before, a new one, or the code of an error. A token that the server would refuse is `dead`. */
  readonly yields: string;
  readonly state: string;
  readonly generation: number;
  /** Requests so far. */
  readonly sent: number;
  /** Kinds of all notices so far. */
  readonly notices: string;
}

/** One kill. */
export interface Kill {
  readonly point: Point;
  readonly rotation: Rotation;
  readonly round: number;
}

/** Kills a keeper at each point under each rotation, so many times. */
export async function killEverywhere(
  rounds: number,
  rotations: readonly Rotation[] = ROTATIONS,
): Promise<readonly (Kill & { readonly aftermath: Aftermath })[]> {
  const kills = Array.from({ length: rounds }, (_, round) =>
    POINTS.flatMap((point) => rotations.map((rotation) => ({ point, rotation, round }))),
  ).flat();
  return inLanes(kills, 3, startServer, async (kill, server) => ({
    ...kill,
    aftermath: await killAt(server, kill),
  }));
}

/** Kills one keeper and looks at what follows. */
export async function killAt(server: EmulatorProcess, kill: Kill): Promise<Aftermath> {
  const { home: made, grantId } = await keptHomeAt(server, kill.rotation);
  await using home = made;
  await murder(server, home, grantId, kill);
  const sent = await server.ledger.count({ endpoint: 'token', grantId });
  const living = await standing(server, home, grantId, 1);
  const { refreshToken, connection } = await home.look();
  const honoured = await server.isRefreshTokenHonoured(refreshToken);
  home.aheadMs += LIFE_MS;
  const expired = await standing(server, home, grantId, connection.generation);
  return { sent, living, honoured, expired };
}

/** As {@link killAt}, but nobody opens the home before the access token has expired. */
export async function killAndReturnLate(server: EmulatorProcess, kill: Kill): Promise<Standing> {
  const { home: made, grantId } = await keptHomeAt(server, kill.rotation);
  await using home = made;
  await murder(server, home, grantId, kill);
  home.aheadMs += LIFE_MS;
  return await standing(server, home, grantId, 1);
}

function isCommitted(point: Point): boolean {
  return POINTS.indexOf(point) >= POINTS.indexOf('after-send');
}

async function murder(
  server: EmulatorProcess,
  home: KeptHome,
  grantId: string,
  kill: Kill,
): Promise<void> {
  // The demand below exceeds what is left of the token's life, so the victim refreshes although the token lives.
  home.aheadMs = 120_000;
  await strike(server, home, grantId, kill);
  if (isCommitted(kill.point)) {
    await server.ledger.waitFor(1, { endpoint: 'token', grantId, committed: true });
  }
}

async function strike(
  server: EmulatorProcess,
  home: KeptHome,
  grantId: string,
  kill: Kill,
): Promise<void> {
  const failpoint = failpointOf(kill);
  const demand = { minLifeMs: LIFE_MS - 30_000 };
  await using victim = await home.spawn(
    failpoint === undefined ? {} : { failpoints: [`${failpoint}:kill`] },
  );
  if (failpoint !== undefined) {
    victim.token(demand).catch(unanswered);
    await expectKilled(victim, kill);
    return;
  }
  const held = kill.point === 'committed';
  await server.faults.next(held ? 'hold-after-commit' : { kind: 'slow-body', msPerByte: 50 }, {
    grantId,
  });
  victim.token(demand).catch(unanswered);
  await server.ledger.waitFor(1, { grantId, ...(held ? { held: true } : { status: 200 }) });
  await victim.kill();
  if (held) await server.faults.release();
}

/** The caller dies with the keeper. */
const unanswered = (): void => undefined;

function failpointOf({ point, round }: Kill): string | undefined {
  if (point === 'connect') return round % 2 === 0 ? 'after-connect' : 'before-connect';
  return point === 'committed' || point === 'half-answer' ? undefined : point;
}

async function expectKilled(victim: KeeperProcess, { point }: Kill): Promise<void> {
  const how = await victim.ended;
  if (how !== 'SIGKILL') throw new Error(`the keeper passed ${point} and ended by ${String(how)}`);
}

async function standing(
  server: EmulatorProcess,
  home: KeptHome,
  grantId: string,
  generationBefore: number,
): Promise<Standing> {
  const served = await home.token();
  const { connection, notices } = await home.look();
  return {
    yields: await judge(server, served, generationBefore),
    state: connection.state.kind,
    generation: connection.generation,
    sent: await server.ledger.count({ endpoint: 'token', grantId }),
    notices: notices.join(' '),
  };
}

async function judge(server: EmulatorProcess, served: Served, before: number): Promise<string> {
  if ('code' in served) return served.code;
  if (!(await server.isAccessTokenAlive(served.value))) return 'dead';
  return served.generation > before ? 'new' : 'old';
}
