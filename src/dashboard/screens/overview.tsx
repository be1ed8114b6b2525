import { useMemo } from 'preact/hooks';
import type { JSX } from 'preact';
import { sentence } from '../data/api.ts';
import { causesOf, type Cause } from '../data/causes.ts';
import {
  AFTER_EVENTS_MS,
  UNTOLD_MS,
  useAnswer,
  useAppState,
  useHappened,
  useNow,
} from '../data/hooks.ts';
import { summarise, type Summary } from '../data/summary.ts';
import type { Actor, Client, DeadLetters, Endpoint, Glance } from '../data/types.ts';
import { Bars } from '../parts/bars.tsx';
import { EventList } from '../parts/event-list.tsx';
import { Shape } from '../parts/mark.tsx';
import { connectionAddress, listAddress } from '../route.ts';
import {
  ACTORS,
  counted,
  fromNow,
  STANDING_NAMES,
  STANDINGS,
  standingOf,
  steady,
  tokenText,
} from '../words.ts';
import { NothingYet } from './nothing-yet.tsx';

/** So many causes of each group are told, and of each cause so many connections named; links lead to the rest. */
const TOLD = 5;
const NAMED = { ofOne: 5, ofSeveral: 3 } as const;
const SECRET_SOON_MS = 30 * 86_400_000;

/** Health at a glance, what needs whom first, and what comes next. */
export function OverviewScreen(): JSX.Element {
  const { connections, phase, message, events } = useAppState();
  const now = useNow();
  const at = steady(now);
  const summary = useMemo(() => summarise(connections, at), [connections, at]);
  if (phase === 'live' && connections.length === 0) return <NothingYet />;
  if (connections.length === 0)
    return <p class="quiet loading">{message ?? 'Reading the connections …'}</p>;
  return (
    <>
      <h1 class="headline">
        {phase === 'partial'
          ? `Reading: ${counted(connections.length, 'connection')} so far`
          : headline(summary, connections.length)}
      </h1>
      <Tiles summary={summary} />
      <Waiting summary={summary} now={now} />
      <Banners now={now} />
      <div class="pair">
        <section class="card" aria-labelledby="due-title">
          <h2 id="due-title">Refreshes due in the next hour</h2>
          <Bars counts={summary.due} from={at} binMs={60_000} />
        </section>
        <section class="card" aria-labelledby="latest-title">
          <h2 id="latest-title">
            Latest events <a href="#/events">all</a>
          </h2>
          <EventList events={events.slice(0, 7)} now={now} isBrief />
        </section>
      </div>
    </>
  );
}

function headline({ counts, waiting }: Summary, all: number): string {
  const { needs, uncertain } = counts;
  if (needs > 0) {
    const more = uncertain === 0 ? '' : `, ${uncertain.toLocaleString('en-GB')} may soon`;
    return `${counted(needs, 'connection')} ${needs === 1 ? 'needs' : 'need'} somebody${more}`;
  }
  if (uncertain > 0) return `${counted(uncertain, 'connection')} may soon need somebody`;
  if (waiting.has('nobody'))
    return `${counted(counts.failing, 'connection')} ${counts.failing === 1 ? 'is' : 'are'} tried again; nobody must act`;
  if (counts.well === all)
    return all === 1 ? 'The one connection is well' : `All ${counted(all, 'connection')} are well`;
  return `${counted(counts.well, 'connection')} ${counts.well === 1 ? 'is' : 'are'} well; nobody must act`;
}

function Tiles({ summary }: { readonly summary: Summary }): JSX.Element {
  return (
    <ul class="tiles" aria-label="How connections stand">
      {STANDINGS.filter(
        (standing) => standing !== 'disconnected' || summary.counts.disconnected > 0,
      ).map((standing) => (
        <li key={standing}>
          <a
            class={`tile ${summary.counts[standing] === 0 ? 'none' : standing}`}
            href={listAddress({ state: standing })}
          >
            <span class="number">{summary.counts[standing].toLocaleString('en-GB')}</span>
            <span class="name">
              <Shape standing={standing} />
              {STANDING_NAMES[standing]}
            </span>
          </a>
        </li>
      ))}
    </ul>
  );
}

function Waiting({
  summary,
  now,
}: {
  readonly summary: Summary;
  readonly now: number;
}): JSX.Element | null {
  if (summary.waiting.size === 0) return null;
  return (
    <section aria-labelledby="waiting-title">
      <h2 id="waiting-title">Who must act</h2>
      <div class="groups">
        {[...summary.waiting].map(([actor, rows]) => (
          <Group key={actor} actor={actor} rows={rows} now={now} />
        ))}
      </div>
    </section>
  );
}

interface GroupProps {
  readonly actor: Actor;
  readonly rows: readonly Glance[];
  readonly now: number;
}

function Group({ actor, rows, now }: GroupProps): JSX.Element {
  const { title, task } = ACTORS[actor];
  const causes = useMemo(() => causesOf(rows), [rows]);
  const named = causes.length === 1 ? NAMED.ofOne : NAMED.ofSeveral;
  return (
    <article class="card group">
      <h3>
        {title}: <span class="quiet">{task}</span>
      </h3>
      <ul class="plain-list">
        {causes.slice(0, TOLD).map((cause) => (
          <SameCause key={cause.reason} {...{ cause, actor, now, named }} />
        ))}
      </ul>
      {causes.length > TOLD && (
        <a class="more" href={listAddress({ actor, sort: 'token' })}>
          All {counted(rows.length, 'connection')}
        </a>
      )}
    </article>
  );
}

interface SameCauseProps {
  readonly cause: Cause;
  readonly actor: Actor;
  readonly now: number;
  /** How many connections are named. */
  readonly named: number;
}

function SameCause({ cause: { reason, rows }, actor, now, named }: SameCauseProps): JSX.Element {
  return (
    <li>
      {rows.slice(0, named).map((row) => (
        <div key={row.name} class="named">
          <a href={connectionAddress(row.name)}>
            <Shape standing={standingOf(row, now)} />
            {row.name}
          </a>
          <span class="num token">{tokenText(row.accessExpiresAt, now)}</span>
        </div>
      ))}
      {rows.length > named && (
        <a class="rest" href={listAddress({ actor, search: reason, sort: 'token' })}>
          and {(rows.length - named).toLocaleString('en-GB')} more for the same cause
        </a>
      )}
      <span class="why">{sentence(reason)}</span>
    </li>
  );
}

/** Registrations, servers and receivers of webhooks are told here only when something is to be said. */
function Banners({ now }: { readonly now: number }): JSX.Element | null {
  const happened = useHappened(AFTER_EVENTS_MS);
  const clients =
    useAnswer<{ clients: readonly Client[] }>('/v1/clients', happened, UNTOLD_MS).data?.clients ??
    [];
  const endpoints =
    useAnswer<{ endpoints: readonly Endpoint[] }>('/v1/glance/endpoints', happened, UNTOLD_MS).data
      ?.endpoints ?? [];
  const ending = endingSoon(clients, now);
  const blocked = endpoints.filter(({ blockedUntil }) => blockedUntil > now);
  const deaf = (
    useAnswer<DeadLetters>('/v1/dead-letters?limit=1', happened, UNTOLD_MS).data?.webhooks ?? []
  ).filter(({ dead }) => dead > 0);
  if (ending.length + blocked.length + deaf.length === 0) return null;
  return (
    <ul class="banners">
      {ending.map(({ clientId, secretExpiresAt }) => (
        <li key={clientId} class="banner">
          <Shape standing="soon" /> The secret of <a href="#/clients">{clientId}</a>{' '}
          {(secretExpiresAt ?? 0) > now ? 'ends' : 'ended'} {fromNow(secretExpiresAt ?? 0, now)}.
        </li>
      ))}
      {blocked.map(({ endpoint, blockedUntil, blockedBecause }) => (
        <li key={endpoint} class="banner">
          <Shape standing="failing" /> <a href="#/endpoints">{new URL(endpoint).host}</a> is left
          alone for {fromNow(blockedUntil, now).replace('in ', '')}
          {blockedBecause === null ? '' : `: ${blockedBecause}`}.
        </li>
      ))}
      {deaf.map(({ name, dead }) => (
        <li key={name} class="banner">
          <Shape standing="failing" /> Webhooks: {name} could not be told of{' '}
          <a href="#/webhooks">{counted(dead, 'event')}</a>.
        </li>
      ))}
    </ul>
  );
}

/** Each client once, though it may be registered for several endpoints. */
function endingSoon(clients: readonly Client[], now: number): readonly Client[] {
  const soon = clients.filter(
    ({ secretExpiresAt }) => secretExpiresAt !== null && secretExpiresAt < now + SECRET_SOON_MS,
  );
  const first = soon.toSorted((a, b) => (a.secretExpiresAt ?? 0) - (b.secretExpiresAt ?? 0));
  return first.filter(
    ({ clientId }, i) => first.findIndex((one) => one.clientId === clientId) === i,
  );
}
