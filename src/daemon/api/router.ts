import type { Route } from './route.ts';

/** What an address leads to. */
export type Found =
  | { readonly route: Route; readonly params: Readonly<Record<string, string>> }
  /** The path is known, for these methods only. */
  | { readonly methods: readonly string[] }
  | undefined;

interface Entry {
  readonly path: string;
  readonly parts: readonly string[];
  readonly byMethod: Map<string, Route>;
}

/** The end of a path that may go on. */
const TAIL = '{*}';

/** Finds routes by method and path. A path is taken apart before it is decoded, so that an encoded slash stays within its part. */
export class Router {
  readonly #exact = new Map<string, Entry>();
  /** Those with parts in braces, by how many parts they have. */
  readonly #patterns = new Map<number, Entry[]>();
  /** Those whose end may go on. */
  readonly #open: Entry[] = [];

  /** @throws TypeError when two routes have the same method and path. */
  constructor(routes: readonly Route[]) {
    for (const route of routes) this.#add(route);
  }

  /** What a method and a path without query lead to. */
  find(method: string, path: string): Found {
    const exact = this.#exact.get(path);
    if (exact !== undefined) return choose(exact, method, {});
    const parts = path.split('/');
    const entry = fitting(this.#patterns.get(parts.length), parts) ?? fitting(this.#open, parts);
    const params = entry && read(entry.parts, parts);
    return params && choose(entry, method, params);
  }

  #add(route: Route): void {
    const { path, method } = route;
    const entry = this.#entry(path);
    if (entry.byMethod.has(method)) throw new TypeError(`${method} ${path} is there twice`);
    entry.byMethod.set(method, route);
  }

  #entry(path: string): Entry {
    const known = this.#exact.get(path);
    if (known !== undefined) return known;
    const entry = { path, parts: path.split('/'), byMethod: new Map<string, Route>() };
    if (!path.includes('{')) {
      this.#exact.set(path, entry);
      return entry;
    }
    const alike = this.#alike(entry.parts);
    const same = alike.find((one) => one.path === path);
    if (same === undefined) alike.push(entry);
    return same ?? entry;
  }

  #alike(parts: readonly string[]): Entry[] {
    if (parts.at(-1) === TAIL) return this.#open;
    const alike = this.#patterns.get(parts.length) ?? [];
    this.#patterns.set(parts.length, alike);
    return alike;
  }
}

function choose(
  { byMethod }: Entry,
  method: string,
  params: Readonly<Record<string, string>>,
): Found {
  const route = byMethod.get(method) ?? (method === 'HEAD' ? headOf(byMethod) : undefined);
  if (route !== undefined) return { route, params };
  const methods = [...byMethod.keys()];
  return { methods: headOf(byMethod) === undefined ? methods : [...methods, 'HEAD'] };
}

/** What answers a HEAD for which there is no route of its own: a GET, whose body is then left out (RFC 9110, section 9.3.2). */
function headOf(byMethod: ReadonlyMap<string, Route>): Route | undefined {
  if (byMethod.has('HEAD')) return undefined;
  const route = byMethod.get('GET');
  return route !== undefined && ('handle' in route || route.hasHead === true) ? route : undefined;
}

/** The first of which all parts are there that stand for themselves. */
function fitting(
  entries: readonly Entry[] | undefined,
  parts: readonly string[],
): Entry | undefined {
  for (const entry of entries ?? []) if (fits(entry.parts, parts)) return entry;
  return undefined;
}

function fits(pattern: readonly string[], parts: readonly string[]): boolean {
  if (parts.length < pattern.length) return false;
  for (let i = 0; i < pattern.length; i++) {
    const wanted = pattern[i] ?? '';
    if (wanted !== parts[i] && !wanted.startsWith('{')) return false;
  }
  return true;
}

/** What stands for the parts in braces; undefined when one of them is empty or badly encoded. */
function read(
  pattern: readonly string[],
  parts: readonly string[],
): Readonly<Record<string, string>> | undefined {
  const params: Record<string, string> = {};
  for (let i = 0; i < pattern.length; i++) {
    const wanted = pattern[i] ?? '';
    if (!wanted.startsWith('{') || wanted === TAIL) continue;
    const value = decode(parts[i] ?? '');
    if (value === undefined || value === '') return undefined;
    params[wanted.slice(1, -1)] = value;
  }
  return params;
}

function decode(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}
