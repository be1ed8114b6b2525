import { standing } from '../../src/connection/states.ts';
import type { Row } from './database.ts';
import type { ConnectionPlan } from './plan.ts';
import type { Process } from './process.ts';
import type { World } from './world.ts';

/*
 * The end of a run: nothing goes wrong any more, people do what they were told to do, and after a while every connection must live.
 */

const MINUTE = 60_000;
/** What another process changed is seen within a second. */
const A_LOOK_MS = 1_500;
const ROUND_MS = 20 * MINUTE;
const ROUNDS = 12;
/** From then on single answers take as long as the shortest lives of tokens. */
const SLOW_MS = 1_000;

/** Lets the world come to rest, and judges what is left. */
export async function settleDown(world: World): Promise<void> {
  heal(world);
  const process = world.spawn(true);
  await pass(world, 6 * MINUTE);
  if (isOver(world)) return;
  judgeStopped(world);
  const restless = new Set(world.plan.connections);
  for (let round = 0; round < ROUNDS && restless.size > 0; round++) {
    for (const plan of restless) repair(world, process, plan);
    await pass(world, ROUND_MS, () => {
      for (const plan of restless) if (isAtRest(world, plan)) restless.delete(plan);
      return restless.size === 0;
    });
    if (isOver(world)) return;
    judgeStopped(world);
  }
  judgeRest(world, restless);
  await pass(world, A_LOOK_MS);
  if (isOver(world)) return;
  for (const { connection } of world.database.image.rows.values()) {
    if (connection.state.kind === 'active') askAll(world, connection.name);
  }
  await pass(world, 3 * MINUTE);
  if (isOver(world)) return;
  world.oracle.calls.judgeEnd();
  world.oracle.notices.judgeEnd();
  world.oracle.sends.judgeEnd();
}

function heal(world: World): void {
  world.trace('world', 'from here on nothing goes wrong');
  world.faultsOn = false;
  world.net.up = true;
  world.trouble.end();
  if (world.machine.asleep) world.machine.wake();
  for (const server of world.servers) server.mood = 'well';
  for (const process of world.keepers.keys()) process.continue();
}

async function pass(world: World, ms: number, isDone = (): boolean => false): Promise<void> {
  const end = world.scheduler.now + ms;
  await world.scheduler.runUntil(end, () => isOver(world) || isDone());
}

function isOver(world: World): boolean {
  return world.oracle.violation !== undefined;
}

/** What a person would do who was told. */
function repair(world: World, process: Process, plan: ConnectionPlan): void {
  const { people } = world;
  const row = world.rowOf(plan);
  if (row === undefined) {
    people.connect(process, plan);
    return;
  }
  const { name, state, clientId } = row.connection;
  const server = world.serverOf(plan);
  const isRefused = world.database.image.clients.get(clientId)?.refusedAt !== undefined;
  if (isRefused || server.secret !== 'secret-0') people.setSecret(process, plan);
  const before = standing(state);
  const isWaiting = before.kind === 'uncertain' && before.lastTry;
  if (before.kind === 'disconnected') {
    people.call(process, 'disconnect', name, (keeper) => keeper.connection(name).disconnect());
  } else if (before.kind === 'attention' || (before.kind === 'uncertain' && !isWaiting)) {
    people.connect(process, plan, name);
  } else if (state.kind === 'paused') {
    people.call(process, 'resume', name, (keeper) => keeper.connection(name).resume());
  }
}

/** A connection that needs a person must need one. */
function judgeStopped(world: World): void {
  for (const row of world.database.image.rows.values()) {
    const state = standing(row.connection.state);
    if (state.kind === 'attention') judgeAttention(world, row, state.code);
  }
}

function judgeAttention(world: World, { connection }: Row, code: string): void {
  const held = world.oracle.store.held.get(connection.id);
  if (held === undefined) return;
  const { value, family } = held.refreshToken;
  const { sends } = world.oracle;
  const history = sends.historyOf(value);
  const isAlive = world.serverOf(family.plan).honours(value);
  const wasRefused = history.some(
    ({ answer }) => answer?.kind === 'request' || answer?.kind === 'unnamed',
  );
  const isRight =
    code === 'ERR_GRANT_REFUSED'
      ? !isAlive
      : code === 'ERR_OUTCOME_UNCERTAIN'
        ? sends.armedOf(connection.id, connection.generation) >= 2
        : wasRefused;
  world.oracle.expect(
    isRight,
    'I12',
    () => `${connection.name} needs a person (${code}), although its server honours ${value}`,
  );
}

function isAtRest(world: World, plan: ConnectionPlan): boolean {
  const row = world.rowOf(plan);
  if (row === undefined) return false;
  const { state, intent, claim } = row.connection;
  const access = world.oracle.store.held.get(row.connection.id)?.accessToken ?? '';
  const isAlive = (world.accessToken(access)?.expiresAt ?? 0) > world.scheduler.now;
  return state.kind === 'active' && isAlive && intent === undefined && claim === undefined;
}

function judgeRest(world: World, restless: ReadonlySet<ConnectionPlan>): void {
  const { spills } = world.disk;
  world.oracle.expect(spills.length === 0, 'I12', () => `${spills.join(', ')} was never recovered`);
  for (const plan of restless) {
    const { connection } = world.rowOf(plan) ?? {};
    world.trace('oracle', JSON.stringify(connection));
    world.oracle.report(
      'I12',
      `${connection?.name ?? 'a connection'} is ${connection?.state.kind ?? 'missing'} and does not come to rest`,
    );
  }
}

function askAll(world: World, name: string): void {
  for (const process of world.keepers.keys()) {
    if (!process.closing) ask(world, process, name, mayComeTooLate(world) ? 2 : 1);
  }
}

/** Where clocks differ by more than a token lives, each process refreshes for itself, while others do; and an answer may take longer than its token lives. */
function mayComeTooLate({ clocksAgree, plan }: World): boolean {
  return !clocksAgree || plan.net.latencyMs > SLOW_MS;
}

/** Whoever is told to ask again does so once. */
function ask(world: World, process: Process, name: string, times: number): void {
  const call = world.people.askToken(process, name);
  world.scheduler.after(MINUTE, () => {
    const isServed = call.done && !call.failed;
    if (!isServed && times > 1) ask(world, process, name, times - 1);
    else
      world.oracle.expect(
        isServed,
        'I12',
        () => `${process.name} gets no token of ${name} at the end`,
      );
  });
}
