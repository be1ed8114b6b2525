/** What a refresh does to the refresh token; see the table of words in ARCHITECTURE.md. `unknown` is treated as `single-use`. */
export type Rotation = 'none' | 'reusable' | 'grace' | 'single-use' | 'unknown';
