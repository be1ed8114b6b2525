import type { ConnectionStatus, Keeper } from '../../keeper-api.ts';
import type { Clock } from '../../system/clock.ts';
import { breathe } from '../../system/turn.ts';
import type { Metric } from './exposition.ts';

/*
 * How many connections there are of each kind. Counting reads all rows, so what was counted is told again for a while, and others have their turn
 * meanwhile.
 */

/** For so long a count is told again. */
const FRESH_MS = 10_000;
const PAGE = 100;

const STATES = ['active', 'uncertain', 'attention', 'paused', 'disconnected'] as const;
const FRESHNESS = ['fresh', 'due', 'expired', 'none'] as const;
const ACTORS = ['owner', 'operator', 'administrator', 'nobody'] as const;

type Counts = Map<string, number>;

/** Counts connections, at most every ten seconds. */
export class Census {
  readonly #keeper: Keeper;
  readonly #clock: Clock;
  #last: { readonly at: number; readonly metrics: Promise<readonly Metric[]> } | undefined;

  /** Counts nothing yet. */
  constructor(keeper: Keeper, clock: Clock) {
    this.#keeper = keeper;
    this.#clock = clock;
  }

  /** Connections by state, by freshness of the token and by who must act; and the secret that ends first. */
  metrics(): Promise<readonly Metric[]> {
    const now = this.#clock.monotonic();
    if (this.#last !== undefined && now - this.#last.at < FRESH_MS) return this.#last.metrics;
    const metrics = this.#count();
    this.#last = { at: now, metrics };
    metrics.catch(() => {
      this.#last = undefined;
    });
    return metrics;
  }

  async #count(): Promise<readonly Metric[]> {
    const states: Counts = new Map();
    const freshness: Counts = new Map();
    const actors: Counts = new Map();
    for await (const status of allOf(this.#keeper)) {
      increase(states, status.state);
      if (status.state === 'active') increase(freshness, status.freshness);
      if (status.actor !== undefined) increase(actors, status.actor);
    }
    const clients = await this.#keeper.clients();
    const ends = clients.flatMap(({ secretExpiresAt }) => secretExpiresAt ?? []);
    return [
      gauge('evergrant_connections', 'Connections by state', 'state', STATES, states),
      gauge(
        'evergrant_access_tokens',
        'Access tokens of active connections by freshness',
        'freshness',
        FRESHNESS,
        freshness,
      ),
      gauge('evergrant_attention', 'Connections by who must act', 'actor', ACTORS, actors),
      {
        name: 'evergrant_client_secret_expiry_timestamp_seconds',
        help: 'When the client secret that ends first ends, where one is told',
        type: 'gauge',
        series: ends.length === 0 ? [] : [{ value: Math.min(...ends) / 1_000 }],
      },
      {
        name: 'evergrant_clients_refused',
        help: 'Registrations that their server refuses',
        type: 'gauge',
        series: [{ value: clients.filter(({ refusedAt }) => refusedAt !== undefined).length }],
      },
    ];
  }
}

async function* allOf(keeper: Keeper): AsyncGenerator<ConnectionStatus> {
  for (let afterName = ''; ;) {
    const page = await keeper.list({ afterName, limit: PAGE });
    yield* page;
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE) return;
    afterName = last.name;
    await breathe();
  }
}

function increase(counts: Counts, of: string): void {
  counts.set(of, (counts.get(of) ?? 0) + 1);
}

/** Every value of the label is there, so that an alert sees a zero and not nothing. */
function gauge(
  name: string,
  help: string,
  label: string,
  values: readonly string[],
  counts: Counts,
): Metric {
  const series = values.map((value) => ({
    labels: { [label]: value },
    value: counts.get(value) ?? 0,
  }));
  return { name, help, type: 'gauge', series };
}
