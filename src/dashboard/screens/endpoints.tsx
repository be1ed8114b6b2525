import type { JSX } from 'preact';
import { useAnswer, useNow } from '../data/hooks.ts';
import type { Endpoint } from '../data/types.ts';
import { Shape } from '../parts/mark.tsx';
import { counted, spanText, type Standing } from '../words.ts';

/** The failures in a row at which the breaker opens. */
const OPENS_AT = 5;

/** Token endpoints: breaker, budget, latency. */
export function EndpointsScreen(): JSX.Element {
  const { data, error } = useAnswer<{ endpoints: readonly Endpoint[] }>(
    '/v1/glance/endpoints',
    0,
    2_000,
  );
  const now = useNow();
  if (data === undefined) return <p class="quiet loading">{error?.message ?? 'Reading …'}</p>;
  return (
    <section>
      <h1>Token endpoints</h1>
      <p class="quiet">
        Breaker and budget hold over all processes of this store. Latency is that of the refreshes
        this daemon made.
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
      {one.blockedBecause !== null && one.blockedUntil > now && <p>{one.blockedBecause}</p>}
      <dl class="facts">
        <dt>Failures in a row</dt>
        <dd class="num">{one.failures.toLocaleString('en-GB')}</dd>
        <dt>Budget</dt>
        <dd class="num">
          {one.lastSecond} of {one.budget} requests in the last second
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
      ? ['needs', `The breaker is open: the next try is in ${rest}`]
      : ['failing', `Left alone for ${rest}`];
  }
  if (failures > 0) return ['failing', `It failed ${counted(failures, 'time')} in a row`];
  return ['well', 'It answers'];
}

function latencyText({ medianMs, slowestTenthMs, refreshes }: Endpoint): string {
  if (medianMs === null || slowestTenthMs === null) return 'not measured yet';
  const of = counted(refreshes, 'refresh', 'refreshes');
  return `${Math.round(medianMs)} ms in the middle, ${Math.round(slowestTenthMs)} ms for the slowest tenth, of ${of}`;
}
