import type { Keeper } from '../../keeper-api.ts';
import type { Clock } from '../../system/clock.ts';
import { VERSION } from '../../system/version.ts';
import type { Audit } from '../access/audit.ts';
import type { DaemonStore } from '../store.ts';
import type { Webhooks } from '../webhooks/webhooks.ts';
import { Census } from './census.ts';
import { Counter, expose, Histogram, type Metric } from './exposition.ts';

/** From half a millisecond to the longest wait of a caller. */
const BOUNDS_S = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 30];

/** What metrics are made of. */
export interface MetricsParts {
  /** The running system. */
  readonly keeper: Keeper;
  /** Its store. */
  readonly store: DaemonStore;
  /** Draws that could not be filed. */
  readonly audit: Audit;
  /** Who is told what happens. */
  readonly webhooks: Webhooks;
  /** Time. */
  readonly clock: Clock;
}

/** Counts what happens in this process, and tells how the connections stand. Labels are names of ours: no connection, no host, no caller. */
export class Metrics {
  readonly #parts: MetricsParts;
  readonly #census: Census;
  readonly #startedAt: number;
  readonly #requests = new Counter('evergrant_requests_total', 'Requests by operation and status');
  readonly #durations = new Histogram(
    'evergrant_request_duration_seconds',
    'Time to the end of the answer, by operation',
    'operation',
    BOUNDS_S,
  );
  readonly #refreshes = new Counter(
    'evergrant_refreshes_total',
    'Refreshes of this process by what they came to',
  );
  readonly #notices = new Counter('evergrant_notices_total', 'Notices delivered, by kind');
  readonly #stops: readonly (() => void)[];

  /** Counts from now on. */
  constructor(parts: MetricsParts) {
    const { keeper, clock } = parts;
    this.#parts = parts;
    this.#census = new Census(keeper, clock);
    this.#startedAt = clock.now();
    this.#stops = [
      keeper.on('refreshed', () => {
        this.#refreshes.add({ outcome: 'refreshed' });
      }),
      keeper.on('refresh_failed', ({ outcome }) => {
        this.#refreshes.add({ outcome });
      }),
      keeper.on('notice', ({ kind }) => {
        this.#notices.add({ kind });
      }),
    ];
  }

  /** Counts a request that was answered. */
  observe(operation: string, status: number, tookMs: number): void {
    this.#requests.add({ operation, status: String(status) });
    this.#durations.observe(operation, tookMs / 1_000);
  }

  /** All of them as text. */
  async text(): Promise<string> {
    return expose([
      ...this.#ofProcess(),
      ...(await this.#census.metrics()),
      await this.#endpoints(),
      ...this.#parts.webhooks.metrics(),
      this.#refreshes.metric(),
      this.#notices.metric(),
      this.#requests.metric(),
      this.#durations.metric(),
    ]);
  }

  /** Listens no more. */
  close(): void {
    for (const stop of this.#stops) stop();
  }

  #ofProcess(): readonly Metric[] {
    const gauge = (name: string, help: string, value: number): Metric => ({
      ...{ name, help },
      type: 'gauge',
      series: [{ value }],
    });
    return [
      {
        name: 'evergrant_build_info',
        help: 'Version of evergrant',
        type: 'gauge',
        series: [{ labels: { version: VERSION }, value: 1 }],
      },
      gauge('process_start_time_seconds', 'When the daemon started', this.#startedAt / 1_000),
      gauge('process_resident_memory_bytes', 'Memory in use', process.memoryUsage.rss()),
      {
        name: 'evergrant_audit_lost_total',
        help: 'Draws that could not be filed in the audit',
        type: 'counter',
        series: [{ value: this.#parts.audit.lost }],
      },
    ];
  }

  async #endpoints(): Promise<Metric> {
    const now = this.#parts.clock.now();
    const endpoints = await this.#parts.store.endpoints();
    return {
      name: 'evergrant_endpoints_blocked',
      help: 'Token endpoints that are left alone for a while',
      type: 'gauge',
      series: [{ value: endpoints.filter(({ blockedUntil }) => blockedUntil > now).length }],
    };
  }
}
