import { useState } from 'preact/hooks';
import type { JSX } from 'preact';
import { instantText } from '../browser.ts';
import { sentence } from '../data/api.ts';
import { useAnswer, useAppState, useNow } from '../data/hooks.ts';
import type { Explanation, LifeEvent } from '../data/types.ts';
import { Command } from '../parts/command.tsx';
import { Actions } from '../parts/actions.tsx';
import { LifeLine } from '../parts/life-line.tsx';
import { Mark, Shape } from '../parts/mark.tsx';
import { Told } from '../parts/told.tsx';
import { TokenLife } from '../parts/token-life.tsx';
import { ACTORS, eventName, eventTone, fromNow, standingOf } from '../words.ts';

const SHOWN = 20;

/** One connection: where it stands, why, what to do, and its life. */
export function ConnectionScreen({ name }: { readonly name: string }): JSX.Element {
  const { connections } = useAppState();
  const row = connections.find((one) => one.name === name);
  const path = `/v1/connections/${encodeURIComponent(name)}/explanation`;
  const { data, error, again } = useAnswer<Explanation>(path, row);
  const now = useNow();
  if (error !== undefined && (data === undefined || error.status === 404)) {
    return (
      <section class="empty">
        <h1>{name}</h1>
        <p>{error.message}</p>
        <p>
          <a href="#/connections">To all connections</a>
        </p>
      </section>
    );
  }
  if (data === undefined) return <p class="quiet loading">Reading …</p>;
  const { status, life } = data;
  const isOver = status.state === 'disconnected';
  return (
    <section class="one">
      <p class="quiet crumb">
        <a href="#/connections">Connections</a>
      </p>
      <header class="title">
        <h1 class="wrap">{status.name}</h1>
        <Mark standing={standingOf({ ...status, failedAt: status.lastError?.at ?? null }, now)} />
      </header>
      <Cause explanation={data} now={now} />
      <Actions status={status} onDone={again} />
      <div class="pair">
        <section class="card" aria-labelledby="token-title">
          <h2 id="token-title">Token</h2>
          {isOver ? <Forgotten status={status} /> : <TokenLife times={status} now={now} />}
        </section>
        <Facts status={status} now={now} />
      </div>
      <section class="card" aria-labelledby="life-title">
        <h2 id="life-title">Life</h2>
        <LifeLine life={life} times={isOver ? NO_TOKEN : status} now={now} />
        <History life={life} />
      </section>
    </section>
  );
}

/** What is left of the tokens of a connection that was disconnected. */
function Forgotten({ status }: { readonly status: Explanation['status'] }): JSX.Element {
  return (
    <p>
      Its access token is forgotten.
      {status.hasRefreshToken && ' The refresh token is kept until the server has revoked it.'}
    </p>
  );
}

const NO_TOKEN = { receivedAt: null, accessExpiresAt: null, nextRefreshAt: null };
const SURE = { certain: '', likely: 'Most likely: ', possible: 'Possibly: ' } as const;

function Cause({
  explanation,
  now,
}: {
  readonly explanation: Explanation;
  readonly now: number;
}): JSX.Element {
  const { status, cause, confidence, fix } = explanation;
  const standing = standingOf({ ...status, failedAt: status.lastError?.at ?? null }, now);
  const isConsent = status.actor === 'owner' && status.beginning !== 'client_credentials';
  const anyAccount = status.account === null ? ' --any-account' : '';
  return (
    <section class={`card cause ${standing}`} aria-label="Cause and fix">
      <p class="lead">
        {SURE[confidence] !== '' && <span class="quiet sure">{SURE[confidence]}</span>}
        {sentence(cause)}
      </p>
      <dl class="facts">
        {status.actor !== null && (
          <>
            <dt>Who must act</dt>
            <dd>{ACTORS[status.actor].title}</dd>
          </>
        )}
        <dt>What to do</dt>
        <dd class="remedy">
          <Told text={fix} />
          {isConsent && (
            <>
              <span class="quiet way">In a browser of the machine where this is typed</span>
              <Command text={`evergrant connect ${status.name} --reconnect`} />
              <span class="quiet way">By a link, in any browser</span>
              <Command text={`evergrant link ${status.name}${anyAccount}`} />
            </>
          )}
        </dd>
        {status.since !== null && (
          <>
            <dt>Since</dt>
            <dd>
              {instantText(status.since, 'full')}, {fromNow(status.since, now)}
            </dd>
          </>
        )}
      </dl>
    </section>
  );
}

function Facts({
  status,
  now,
}: {
  readonly status: Explanation['status'];
  readonly now: number;
}): JSX.Element {
  const facts: readonly (readonly [string, string | undefined])[] = [
    ['Account', status.account ?? undefined],
    [
      'Account id',
      status.accountId === status.account ? undefined : (status.accountId ?? undefined),
    ],
    ['Provider', status.provider],
    ['Client', status.clientId],
    ['Generation', String(status.generation)],
    [
      'Refresh token',
      status.hasRefreshToken ? `held; ${ROTATIONS[status.rotation] ?? status.rotation}` : 'none',
    ],
    [
      'Refresh token ends',
      status.refreshExpiresAt === null
        ? undefined
        : `${instantText(status.refreshExpiresAt, 'day')}, ${fromNow(status.refreshExpiresAt, now)}`,
    ],
    ['Scopes', status.tokenScopes.join(' ') || undefined],
    ['Being refreshed by', status.refreshingBy ?? undefined],
    ['First connected', instantText(status.createdAt, 'full')],
  ];
  return (
    <section class="card" aria-labelledby="facts-title">
      <h2 id="facts-title">Facts</h2>
      <dl class="facts">
        {facts.map(
          ([title, value]) =>
            value !== undefined && (
              <>
                <dt>{title}</dt>
                <dd class="wrap">{value}</dd>
              </>
            ),
        )}
      </dl>
    </section>
  );
}

const ROTATIONS: Readonly<Record<string, string>> = {
  none: 'a refresh leaves it as it is',
  reusable: 'a refresh brings a new one, the old one stays good',
  grace: 'a refresh brings a new one, the old one stays good for a while',
  'single-use': 'each is good for one refresh',
  unknown: 'nobody knows what a refresh does to it, so each is used once',
};

function History({ life }: { readonly life: readonly LifeEvent[] }): JSX.Element {
  const [isWhole, setWhole] = useState(false);
  const shown = isWhole ? life : life.slice(0, SHOWN);
  return (
    <>
      <table class="history">
        <caption class="quiet">History, the newest first</caption>
        <thead>
          <tr>
            <th scope="col">When</th>
            <th scope="col">What</th>
            <th scope="col">Generation</th>
            <th scope="col">By</th>
          </tr>
        </thead>
        <tbody>
          {shown.map(({ at, event, generation, by, detail }, i) => (
            <tr key={`${at}-${i}`}>
              <td class="num" data-label="When">
                {instantText(at, 'full')}
              </td>
              <td data-label="What">
                <Shape standing={eventTone(event)} /> {eventName(event)}
                {detail !== null && <span class="quiet detail">{sentence(detail)}</span>}
              </td>
              <td class="num" data-label="Generation">
                {generation}
              </td>
              <td class="wrap quiet" data-label="By">
                {by}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {shown.length < life.length && (
        <button type="button" onClick={() => setWhole(true)}>
          Show all {life.length}
        </button>
      )}
    </>
  );
}
