import type { Rotation } from '../../src/connection/record.ts';
import type { Rng } from './rng.ts';

/** What a server does to a refresh token at its use. */
export type Kind = 'none' | 'reusable' | 'grace' | 'single-use';

/** One connection of a world. */
export interface ConnectionPlan {
  readonly server: number;
  /** What the server does. */
  readonly kind: Kind;
  /** What our side was told; `unknown` where it was told nothing. */
  readonly rotation: Rotation;
  readonly graceMs: number;
  readonly revokesOnReuse: boolean;
  readonly lifeMs: number;
}

/** Habits of one server; numbers are probabilities of each request. */
export interface ServerPlan {
  readonly fails: number;
  readonly gatewayFails: number;
  readonly throttles: number;
  readonly refusesUnnamed: number;
  readonly refusesRequest: number;
  readonly revocationEndpoint: boolean;
}

/** What the network does to an exchange; numbers are probabilities. */
export interface NetPlan {
  readonly refusesConnection: number;
  readonly notSent: number;
  readonly lostOnTheWay: number;
  readonly lostAnswer: number;
  readonly halfAnswer: number;
  readonly lateAnswer: number;
  readonly latencyMs: number;
}

/** Misfortunes that strike at a step of a process. */
export interface HazardPlan {
  /** Probability at each step. */
  readonly rate: number;
  readonly weights: {
    readonly crash: number;
    readonly stop: number;
    readonly suspend: number;
    readonly power: number;
    readonly clock: number;
    readonly disk: number;
  };
}

/** Everything a run draws before it begins. Each run has some kinds of faults and lacks others, so that rare mixtures come up as well. */
export interface Plan {
  readonly connections: readonly ConnectionPlan[];
  readonly servers: readonly ServerPlan[];
  readonly net: NetPlan;
  readonly hazards: HazardPlan;
  readonly processes: number;
  /** Probability that a process renews in the background. */
  readonly background: number;
  readonly spanMs: number;
  /** Between one act of a person or program and the next. */
  readonly pauseMs: number;
  /** How many acts of administration there are for one of a caller. */
  readonly administration: number;
  readonly slowReads: boolean;
  readonly lastTry: boolean;
  /** Clock error of the machine at the beginning. */
  readonly offsetMs: number;
  /** Clock errors of processes against each other, as if on several machines; 0 for none. */
  readonly skewMs: number;
  /** Probability that somebody meddles with a connection, or the disk fills up, while its request is under way. */
  readonly meddling: number;
  /** How far a clock may jump. */
  readonly jumpMs: number;
}

const MINUTE = 60_000;

/** Draws a plan. */
export function drawPlan(rng: Rng): Plan {
  const sometimes = (probability: number, least: number, most: number): number =>
    rng.chance(probability) ? least + rng.fraction() * (most - least) : 0;
  const serverCount = rng.chance(0.25) ? 2 : 1;
  const baseLifeMs = rng.pick([20_000, MINUTE, 5 * MINUTE, 60 * MINUTE]);
  const connections = Array.from({ length: rng.pick([1, 1, 2, 3]) }, () =>
    drawConnection(rng, rng.between(0, serverCount - 1), baseLifeMs),
  );
  const spanMs = Math.min(Math.max(6 * baseLifeMs, 3 * MINUTE), 150 * MINUTE);
  return {
    connections,
    servers: Array.from({ length: serverCount }, () => drawServer(rng, sometimes)),
    net: drawNet(rng, sometimes),
    hazards: {
      rate: sometimes(0.85, 0.002, 0.03),
      weights: {
        crash: sometimes(0.8, 1, 5),
        stop: sometimes(0.4, 0.5, 3),
        suspend: sometimes(0.3, 0.2, 1),
        power: sometimes(0.4, 0.2, 1.5),
        clock: sometimes(0.2, 0.2, 1),
        disk: sometimes(0.35, 0.5, 2),
      },
    },
    processes: rng.between(1, 4),
    background: rng.pick([0, 0.5, 1]),
    spanMs,
    pauseMs: spanMs / rng.between(20, 90),
    administration: sometimes(0.6, 0.02, 0.3),
    slowReads: rng.chance(0.3),
    lastTry: rng.chance(0.85),
    offsetMs: rng.chance(0.3) ? rng.between(-10 * MINUTE, 10 * MINUTE) : 0,
    skewMs: rng.chance(0.1) ? rng.spread(10, 5 * MINUTE) : 0,
    meddling: sometimes(0.5, 0.02, 0.3),
    jumpMs: rng.spread(1_000, 1_440 * MINUTE),
  };
}

function drawConnection(rng: Rng, server: number, lifeMs: number): ConnectionPlan {
  const kind = rng.pick<Kind>(['none', 'reusable', 'grace', 'single-use', 'single-use']);
  const known: Rotation = kind;
  const isUntold = (kind === 'single-use' || kind === 'none') && rng.chance(0.3);
  return {
    server,
    kind,
    rotation: isUntold ? 'unknown' : known,
    graceMs: rng.pick([5_000, 30_000, 2 * MINUTE]),
    revokesOnReuse: rng.chance(0.8),
    lifeMs,
  };
}

type Sometimes = (probability: number, least: number, most: number) => number;

function drawServer(rng: Rng, sometimes: Sometimes): ServerPlan {
  return {
    fails: sometimes(0.4, 0.01, 0.3),
    gatewayFails: sometimes(0.3, 0.01, 0.2),
    throttles: sometimes(0.3, 0.01, 0.3),
    refusesUnnamed: sometimes(0.15, 0.01, 0.3),
    refusesRequest: sometimes(0.1, 0.01, 0.1),
    revocationEndpoint: rng.chance(0.5),
  };
}

function drawNet(rng: Rng, sometimes: Sometimes): NetPlan {
  return {
    refusesConnection: sometimes(0.4, 0.01, 0.3),
    notSent: sometimes(0.3, 0.01, 0.1),
    lostOnTheWay: sometimes(0.4, 0.01, 0.2),
    lostAnswer: sometimes(0.5, 0.01, 0.25),
    halfAnswer: sometimes(0.3, 0.01, 0.15),
    lateAnswer: sometimes(0.4, 0.01, 0.2),
    latencyMs: rng.spread(2, 3_000),
  };
}
