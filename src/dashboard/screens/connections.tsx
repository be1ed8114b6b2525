import { useMemo, useRef } from 'preact/hooks';
import type { JSX } from 'preact';
import { sentence } from '../data/api.ts';
import { pick, type SortKey, type Wanted } from '../data/rows.ts';
import { useAppState, useNow } from '../data/hooks.ts';
import type { Actor, Glance } from '../data/types.ts';
import { Mark } from '../parts/mark.tsx';
import { VirtualRows } from '../parts/virtual-rows.tsx';
import { connectionAddress, listAddress, replaceAddress, type Place } from '../route.ts';
import {
  ACTORS,
  counted,
  fromNow,
  reasonOf,
  standingOf,
  STANDING_NAMES,
  STANDINGS,
  steady,
  tokenText,
  waitsFor,
  type Standing,
} from '../words.ts';
import { NothingYet } from './nothing-yet.tsx';

const COLUMNS: readonly (readonly [SortKey, string])[] = [
  ['name', 'Connection'],
  ['standing', 'State'],
  ['token', 'Token'],
  ['next', 'Next refresh'],
  ['provider', 'Provider'],
];

/** All connections, to search, narrow and sort. What is chosen stands in the address. */
export function ConnectionsScreen({ place }: { readonly place: Place }): JSX.Element {
  const { connections, phase } = useAppState();
  const count = useRef<HTMLParagraphElement>(null);
  const wanted = readWanted(place.query);
  const address = place.query.toString();
  const at = steady(useNow());
  const rows = useMemo(() => pick(connections, wanted, at), [connections, address, at]);
  const providers = useMemo(
    () => [...new Set(connections.map(({ provider }) => provider))].sort(),
    [connections],
  );
  if (phase === 'live' && connections.length === 0) return <NothingYet />;
  const columns = COLUMNS.filter(([key]) => key !== 'provider' || providers.length > 1);
  const set = (changed: Readonly<Record<string, string>>): void => {
    const all = { ...Object.fromEntries(place.query), ...changed };
    const kept = Object.entries(all).filter(([, value]) => value !== '');
    replaceAddress(listAddress(Object.fromEntries(kept)));
  };
  const isPartial = phase === 'partial' || phase === 'loading';
  const found =
    rows.length === connections.length
      ? counted(rows.length, 'connection')
      : `${rows.length.toLocaleString('en-GB')} of ${counted(connections.length, 'connection')}`;
  return (
    <section class="list-screen">
      <h1>Connections</h1>
      <Filters {...{ wanted, providers, set }} />
      <p class="quiet found" role="status" tabIndex={-1} ref={count}>
        {isPartial ? `${found} so far` : found}
      </p>
      {rows.length === 0 && !isPartial && (
        <p>
          Nothing matches. <a href="#/connections">Show all</a>
        </p>
      )}
      <VirtualRows
        rows={rows}
        label="Connections"
        columns={columns.length}
        head={<Headings {...{ columns, wanted, set }} />}
        keyOf={({ name }) => name}
        cells={(row) => <Cells row={row} hasProvider={providers.length > 1} />}
        onEmptied={() => count.current?.focus()}
        onOpen={({ name }) => {
          location.hash = connectionAddress(name);
        }}
      />
    </section>
  );
}

const ACTOR_NAMES = Object.keys(ACTORS) as Actor[];

type Setter = (changed: Readonly<Record<string, string>>) => void;

function readWanted(query: URLSearchParams): Wanted {
  const sort = COLUMNS.find(([key]) => key === query.get('sort'))?.[0] ?? 'standing';
  return {
    search: query.get('search') ?? '',
    standing: STANDINGS.find((one) => one === query.get('state')),
    actor: ACTOR_NAMES.find((one) => one === query.get('actor')),
    provider: query.get('provider') ?? undefined,
    sort,
    isDown: query.get('order') === 'down',
  };
}

interface FiltersProps {
  readonly wanted: Wanted;
  readonly providers: readonly string[];
  readonly set: Setter;
}

function Filters({ wanted, providers, set }: FiltersProps): JSX.Element {
  return (
    <form class="filters" role="search" onSubmit={(event) => event.preventDefault()}>
      <label>
        <span>Search</span>
        <input
          type="search"
          placeholder="name, account, client or cause"
          value={wanted.search}
          onInput={(event) => set({ search: event.currentTarget.value })}
        />
      </label>
      <Choice label="State" value={wanted.standing} onChoose={(state) => set({ state })}>
        {STANDINGS.map((one): readonly [string, string] => [one, STANDING_NAMES[one]])}
      </Choice>
      <Choice label="Who must act" value={wanted.actor} onChoose={(actor) => set({ actor })}>
        {Object.entries(ACTORS).map(([key, { title }]): readonly [string, string] => [key, title])}
      </Choice>
      {(providers.length > 1 || wanted.provider !== undefined) && (
        <Choice label="Provider" value={wanted.provider} onChoose={(provider) => set({ provider })}>
          {providers.map((one): readonly [string, string] => [one, one])}
        </Choice>
      )}
    </form>
  );
}

function Choice({
  label,
  value,
  onChoose,
  children,
}: {
  readonly label: string;
  readonly value: string | undefined;
  readonly onChoose: (value: string) => void;
  readonly children: readonly (readonly [string, string])[];
}): JSX.Element {
  return (
    <label>
      <span>{label}</span>
      <select value={value ?? ''} onChange={(event) => onChoose(event.currentTarget.value)}>
        <option value="">All</option>
        {children.map(([key, title]) => (
          <option key={key} value={key}>
            {title}
          </option>
        ))}
      </select>
    </label>
  );
}

interface HeadingsProps {
  readonly columns: typeof COLUMNS;
  readonly wanted: Wanted;
  readonly set: Setter;
}

function Headings({ columns, wanted, set }: HeadingsProps): JSX.Element {
  return (
    <>
      {columns.map(([key, title]) => {
        const isSorted = wanted.sort === key;
        const order = wanted.isDown ? 'descending' : 'ascending';
        return (
          <div
            key={key}
            role="columnheader"
            class={`c-${key}`}
            aria-sort={isSorted ? order : 'none'}
          >
            <button
              type="button"
              class="sort"
              onClick={() => set({ sort: key, order: isSorted && !wanted.isDown ? 'down' : '' })}
            >
              {title}
              <span aria-hidden="true">{isSorted ? (wanted.isDown ? ' ↓' : ' ↑') : ''}</span>
            </button>
          </div>
        );
      })}
    </>
  );
}

interface CellsProps {
  readonly row: Glance;
  readonly hasProvider: boolean;
}

function Cells({ row, hasProvider }: CellsProps): JSX.Element {
  const now = useNow();
  const standing: Standing = standingOf(row, now);
  const note = waitsFor(row, now) === undefined ? (row.account ?? '') : sentence(reasonOf(row));
  const hasRunOut = row.accessExpiresAt === null || row.accessExpiresAt <= now;
  return (
    <>
      <div role="gridcell" class="c-name" title={note}>
        <a href={connectionAddress(row.name)} tabIndex={-1}>
          {row.name}
        </a>
        <span class="quiet"> {note}</span>
      </div>
      <div role="gridcell" class="c-standing">
        <Mark standing={standing} />
      </div>
      <div role="gridcell" class={`c-token num ${hasRunOut ? 'out' : ''}`}>
        {tokenText(row.accessExpiresAt, now)}
      </div>
      <div role="gridcell" class="c-next num">
        {row.isRefreshing
          ? 'now'
          : row.nextRefreshAt === null
            ? '–'
            : nextText(row.nextRefreshAt, now)}
      </div>
      {hasProvider && (
        <div role="gridcell" class="c-provider">
          {row.provider}
        </div>
      )}
    </>
  );
}

function nextText(at: number, now: number): string {
  return at <= now ? 'due' : fromNow(at, now);
}
