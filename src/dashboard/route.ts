import { useEffect, useState } from 'preact/hooks';

/*
 * Screens have addresses after the hash, so that the daemon serves one page for all of them, and a person can go back or keep a bookmark.
 */

/** Where the person is. */
export interface Place {
  /** First part of the address. */
  readonly screen: string;
  /** Second part: a connection's name. */
  readonly name: string;
  /** What the list is narrowed to. */
  readonly query: URLSearchParams;
}

/** Reads the address after the hash. */
export function readPlace(hash: string): Place {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?');
  const [screen = '', name = ''] = path.split('/');
  return { screen, name: decode(name), query: new URLSearchParams(query) };
}

/** The place in the address bar; drawn again when it changes. */
export function usePlace(): Place {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const read = (): void => setHash(location.hash);
    addEventListener('hashchange', read);
    return () => {
      removeEventListener('hashchange', read);
    };
  }, []);
  return readPlace(hash);
}

/** Address of a connection's page. */
export function connectionAddress(name: string): string {
  return `#/connections/${encodeURIComponent(name)}`;
}

/** Address of the list, narrowed. */
export function listAddress(query: Readonly<Record<string, string>>): string {
  const text = new URLSearchParams(query).toString();
  return text === '' ? '#/connections' : `#/connections?${text}`;
}

/** Changes the address without a step to go back to, as one types into a search field. */
export function replaceAddress(address: string): void {
  history.replaceState(null, '', address);
  dispatchEvent(new HashChangeEvent('hashchange'));
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
