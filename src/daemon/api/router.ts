import type { Route } from './route.ts';

/** What an address leads to. */
export type Found =
  | { readonly route: Route; readonly params: Readonly<Record<string, string>> }
  /** The path is known, for these methods only. */
  | { readonly methods: readonly string[] }
  | undefined;

interface Entry {
  readonly parts: readonly string[];
  readonly byMethod: Map<string, Route>;
}

/** The end of a path that may go on. */
const TAIL = '{*}';

/** Finds routes by method and path. A path is taken apart before it is decoded, so that an encoded slash stays within its part. */
export class Router {
  readonly #exact = new Map<string, Entry>();
  readonly #patterns: Entry[] = [];

  /** @throws TypeError when two routes have the same method and path. */
  constructor(routes: readonly Route[]) {
    for (const route of routes) this.#add(route);
  }

  /** What a method and a path without query lead to. */
  find(method: string, path: string): Found {
    const exact = this.#exact.get(path);
    if (exact !== undefined) return choose(exact, method, {});
    const parts = path.split('/');
    for (const entry of this.#patterns) {
      const params = match(entry.parts, parts);
      if (params !== undefined) return choose(entry, method, params);
    }
    return undefined;
  }

  #add(route: Route): void {
    const { path, method } = route;
    const parts = path.split('/');
    const known = [...this.#exact.values(), ...this.#patterns].find(
      (entry) => entry.parts.join('/') === path,
    );
    const entry = known ?? { parts, byMethod: new Map<string, Route>() };
    if (entry.byMethod.has(method)) throw new TypeError(`${method} ${path} is there twice`);
    entry.byMethod.set(method, route);
    if (known !== undefined) return;
    if (path.includes('{')) this.#patterns.push(entry);
    else this.#exact.set(path, entry);
  }
}

function choose(
  { byMethod }: Entry,
  method: string,
  params: Readonly<Record<string, string>>,
): Found {
  const route = byMethod.get(method);
  return route === undefined ? { methods: [...byMethod.keys()] } : { route, params };
}

function match(
  pattern: readonly string[],
  parts: readonly string[],
): Readonly<Record<string, string>> | undefined {
  const isOpen = pattern.at(-1) === TAIL;
  if (isOpen ? parts.length < pattern.length : parts.length !== pattern.length) return undefined;
  const params: Record<string, string> = {};
  for (const [i, wanted] of pattern.entries()) {
    if (wanted === TAIL) continue;
    const part = parts[i] ?? '';
    if (!wanted.startsWith('{')) {
      if (part !== wanted) return undefined;
      continue;
    }
    const value = decode(part);
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
