import * as z from 'zod';
import { NotFoundError } from '../../errors.ts';
import type { EndpointState } from '../../connection/record.ts';
import type { Keeper } from '../../keeper-api.ts';
import type { DaemonParts } from '../parts.ts';
import { quantile, type Latency } from './latencies.ts';

const ms = z.number().nullable().meta({ description: 'milliseconds' });

/** A token endpoint as people watch it. */
export const endpointGlance = z
  .strictObject({
    endpoint: z.string(),
    failures: z.number().meta({ description: 'in a row, over all connections' }),
    blockedUntil: z.number().meta({ description: 'epoch milliseconds; 0: it is not' }),
    blockedBecause: z.string().nullable(),
    lastSecond: z.number().meta({ description: 'requests' }),
    budget: z.number().meta({ description: 'requests a second' }),
    refreshes: z.number().meta({ description: 'measured by this daemon' }),
    medianMs: ms,
    slowestTenthMs: ms,
  })
  .meta({ id: 'EndpointGlance' });

/** Every token endpoint, with what this daemon measured. */
export async function endpointsAtAGlance(
  parts: DaemonParts,
): Promise<readonly Record<string, unknown>[]> {
  const { keeper, store, clock, latencies, requestsPerSecond } = parts;
  const states = await store.endpoints();
  const took = await byEndpoint(keeper, latencies.newest());
  const now = clock.now();
  return states.map((state) => {
    const measured = took.get(state.endpoint) ?? [];
    return {
      endpoint: state.endpoint,
      failures: state.failures,
      blockedUntil: state.blockedUntil,
      blockedBecause: state.blockedBecause,
      lastSecond: requestsSince(state, now - 1_000),
      budget: requestsPerSecond,
      refreshes: measured.length,
      medianMs: quantile(measured, 0.5),
      slowestTenthMs: quantile(measured, 0.9),
    };
  });
}

function requestsSince({ recent, counts }: EndpointState, since: number): number {
  return recent.reduce((sum, at, i) => (at > since ? sum + (counts?.[i] ?? 1) : sum), 0);
}

async function byEndpoint(
  keeper: Keeper,
  measured: readonly Latency[],
): Promise<ReadonlyMap<string, readonly number[]>> {
  const endpoints = new Map<string, string | undefined>();
  for (const { connection } of measured) {
    if (!endpoints.has(connection)) endpoints.set(connection, await endpointOf(keeper, connection));
  }
  const took = new Map<string, number[]>();
  for (const { connection, tookMs } of measured) {
    const endpoint = endpoints.get(connection);
    if (endpoint === undefined) continue;
    took.set(endpoint, [...(took.get(endpoint) ?? []), tookMs]);
  }
  return took;
}

async function endpointOf(keeper: Keeper, connection: string): Promise<string | undefined> {
  try {
    return (await keeper.connection(connection).status()).tokenEndpoint;
  } catch (error) {
    if (error instanceof NotFoundError) return undefined;
    throw error;
  }
}
