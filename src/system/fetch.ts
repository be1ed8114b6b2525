/** How the API is called: the shape of the platform's `fetch`. */
export type Fetch = (input: string | URL, init?: RequestInit) => Promise<Response>;

/** The platform's `fetch`. Only this file names it. */
export const systemFetch: Fetch = (input, init) => fetch(input, init);
