import { useState } from 'preact/hooks';
import type { JSX } from 'preact';
import { sentence } from '../data/api.ts';
import { useAnswer, useHappened, useNow } from '../data/hooks.ts';
import type { Endpoint } from '../data/types.ts';
import { Shape } from '../parts/mark.tsx';
import { counted, spanText, type Standing } from '../words.ts';

/** While requests are made their number is asked for, and once more when they end. */
const BUSY_MS = 2_000;
/** The failures in a row at which the breaker opens. */
const OPENS_AT = 5;

/** Token endpoints: breaker, budget, latency. */
export function EndpointsScreen(): JSX.Element {
  const [isBusy, setBusy] = useState(false);
  const { data, error } = useAnswer<{ endpoints: readonly Endpoint[] }>(
    '/v1/glance/endpoints',
    useHappened(1_000),
    isBusy ? BUSY_MS : undefined,
  );
  const isMoving = data?.endpoints.some(({ lastSecond }) => lastSecond > 0) ?? false;
  if (isBusy !== isMoving) setBusy(isMoving);
  const now = useNow();
  if (data === undefined) return <p class="quiet loading">{error?.message ?? 'Reading …'}</p>;
  return (
    <section>
      <h1>Token endpoints</h1>
      <p class="quiet">
        The breaker stops requests to a server that fails {OPENS_AT} times in a row, but for single
        tries; the budget keeps it from being flooded. Both hold over all processes of this store;
        latency is that of this daemon’s refreshes.
      </p>
      {data.endpoints.length === 0 && <p>None yet: they come with the first request.</p>}
      <div class="groups">
        {data.endpoints.map((endpoint) => (
          <Card key={endpoint.endpoint} endpoint={endpoint} now={now} />
        ))}
      </div>
    </section>
  );
}

function Card({
  endpoint: one,
  now,
}: {
  readonly endpoint: Endpoint;
  readonly now: number;
}): JSX.Element {
  const [standing, text] = breakerOf(one, now);
  const share = Math.min(1, one.lastSecond / one.budget);
  return (
    <article class="card">
      <h2 class="address">
        <Shape standing={standing} /> <span class="wrap">{one.endpoint}</span>
      </h2>
      <p class={standing === 'well' ? '' : 'strong'}>{text}</p>
      {one.blockedBecause !== null && one.blockedUntil > now && (
        <p>{sentence(one.blockedBecause)}</p>
      )}
      <dl class="facts">
        <dt>Breaker</dt>
        <dd>{breakerText(one)}</dd>
        <dt>Budget</dt>
        <dd class="num">
          {one.lastSecond} of {one.budget} requests a second used
          <svg class="forecast" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
            <rect class="track" x="0" y="1" width="100" height="2" />
            <rect class="fill" x="0" y="1" width={share * 100} height="2" />
          </svg>
        </dd>
        <dt>Latency</dt>
        <dd class="num">{latencyText(one)}</dd>
      </dl>
    </article>
  );
}

function breakerOf({ failures, blockedUntil }: Endpoint, now: number): readonly [Standing, string] {
  if (blockedUntil > now) {
    const rest = spanText(blockedUntil - now);
    return failures >= OPENS_AT
      ? ['needs', `It fails; the next try is in ${rest}`]
      : ['failing', `It is left alone for ${rest}`];
  }
  if (failures > 0)
    return [
      'failing',
      failures === 1 ? 'The last request failed' : `The last ${failures} requests failed`,
    ];
  return ['well', 'No failures'];
}

function latencyText({ medianMs, slowestTenthMs, refreshes }: Endpoint): string {
  if (medianMs === null || slowestTenthMs === null) return 'not measured yet';
  const of = counted(refreshes, 'refresh', 'refreshes');
  if (refreshes < 10) return `half took at most ${msText(medianMs)}, of ${of}`;
  return `half took at most ${msText(medianMs)}, nine in ten at most ${msText(slowestTenthMs)}, of ${of}`;
}

function msText(ms: number): string {
  return ms < 1 ? '1 ms' : `${Math.round(ms).toLocaleString('en-GB')} ms`;
}

function breakerText({ failures }: Endpoint): string {
  if (failures >= OPENS_AT)
    return `open, after ${failures.toLocaleString('en-GB')} failures in a row`;
  return failures === 0 ? 'closed' : `closed, ${counted(failures, 'failure')} of ${OPENS_AT}`;
}
