import type { JSX } from 'preact';
import { instantText } from '../browser.ts';
import { sentence } from '../data/api.ts';
import { AFTER_EVENTS_MS, UNTOLD_MS, useAnswer, useHappened, useNow } from '../data/hooks.ts';
import { joined } from '../data/registrations.ts';
import type { Client } from '../data/types.ts';
import { Shape } from '../parts/mark.tsx';
import { Command } from '../parts/command.tsx';
import { listAddress } from '../route.ts';
import { counted, fromNow, type Tone } from '../words.ts';

const SOON_MS = 30 * 86_400_000;
const YEAR_MS = 365 * 86_400_000;

/** Registrations: which secrets end when, and which are refused. */
export function ClientsScreen(): JSX.Element {
  const { data, error } = useAnswer<{ clients: readonly Client[] }>(
    '/v1/clients',
    useHappened(AFTER_EVENTS_MS),
    UNTOLD_MS,
  );
  const now = useNow(10_000);
  if (data === undefined) return <p class="quiet loading">{error?.message ?? 'Reading …'}</p>;
  const clients = joined(data.clients).toSorted((a, b) => urgency(a, now) - urgency(b, now));
  return (
    <section>
      <h1>Clients</h1>
      <p class="quiet">Registrations at authorization servers, those that want something first.</p>
      {clients.length === 0 && <p>None yet: a registration comes with the first connection.</p>}
      <div class="groups">
        {clients.map((client) => (
          <Registration key={client.id} client={client} now={now} />
        ))}
      </div>
    </section>
  );
}

function urgency({ refusedAt, secretExpiresAt }: Client, now: number): number {
  if (refusedAt !== null) return -1;
  return secretExpiresAt === null ? Number.MAX_VALUE : Math.max(0, secretExpiresAt - now);
}

function Registration({
  client,
  now,
}: {
  readonly client: Client;
  readonly now: number;
}): JSX.Element {
  const { clientId, provider, tokenEndpoint, refusedAt, refusal, connections } = client;
  const [standing, text] = forecast(client, now);
  return (
    <article class="card">
      <h2>
        <Shape standing={standing} /> <span class="wrap">{clientId}</span>
      </h2>
      <p class={standing === 'well' ? '' : 'strong'}>{text}</p>
      <Forecast client={client} now={now} />
      {refusedAt !== null && (
        <p>
          Refused {fromNow(refusedAt, now)}: {sentence(refusal ?? 'it did not say why')}
        </p>
      )}
      {standing !== 'well' && (
        <p>
          Make a new one at the server, then{' '}
          <Command text={`evergrant client set-secret ${clientId}`} />
        </p>
      )}
      <dl class="facts">
        <dt>Provider</dt>
        <dd>{provider}</dd>
        <dt>Token endpoint</dt>
        <dd class="wrap">{tokenEndpoint}</dd>
        <dt>Used by</dt>
        <dd>
          <a href={listAddress({ search: clientId })}>{counted(connections, 'connection')}</a>
        </dd>
      </dl>
    </article>
  );
}

function forecast(client: Client, now: number): readonly [Tone, string] {
  const { refusedAt, hasSecret, secretExpiresAt } = client;
  if (refusedAt !== null) return ['needs', 'The server refuses this client'];
  if (!hasSecret) return ['well', 'A public client: it has no secret'];
  if (secretExpiresAt === null) return ['well', 'When the secret ends is not known'];
  const when = `${instantText(secretExpiresAt, 'day')}, ${fromNow(secretExpiresAt, now)}`;
  if (secretExpiresAt <= now) return ['needs', `The secret ended ${when}`];
  return [secretExpiresAt < now + SOON_MS ? 'soon' : 'well', `The secret ends ${when}`];
}

/** The coming year as a line, with the end of the secret on it. */
function Forecast({
  client,
  now,
}: {
  readonly client: Client;
  readonly now: number;
}): JSX.Element | null {
  const { secretExpiresAt, hasSecret } = client;
  if (secretExpiresAt === null || !hasSecret) return null;
  const share = Math.max(0, Math.min(1, (secretExpiresAt - now) / YEAR_MS));
  return (
    <svg class="forecast" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
      <rect class="track" x="0" y="1" width="100" height="2" />
      <rect
        class={share < SOON_MS / YEAR_MS ? 'fill low' : 'fill'}
        x="0"
        y="1"
        width={share * 100}
        height="2"
      />
    </svg>
  );
}
