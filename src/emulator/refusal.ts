import { aadstsErrors } from './aadsts.ts';

/** Members of a refusal that differ from what its AADSTS number implies. */
export interface RefusalDetails {
  readonly error?: string | undefined;
  readonly status?: number | undefined;
  readonly suberror?: string | undefined;
  /** JSON text of a claims challenge. */
  readonly claims?: string | undefined;
  /** Explains this case; the number's general text by default. */
  readonly text?: string | undefined;
}

/** Thrown by any step that refuses a request; turned into an answer in one place. */
export class Refusal extends Error {
  /** The AADSTS number. */
  readonly code: number;
  /** The OAuth `error`. */
  readonly error: string;
  /** HTTP status at the token endpoint. */
  readonly status: number;
  /** Entra's `suberror`, if any. */
  readonly suberror: string | undefined;
  /** JSON text of a claims challenge, if any. */
  readonly claims: string | undefined;

  /** Refuses with an AADSTS number; unknown numbers count as `invalid_grant`. */
  constructor(code: number, details: RefusalDetails = {}) {
    const known = aadstsErrors.get(code) ?? { error: 'invalid_grant', text: 'Demo text.' };
    super(details.text ?? known.text);
    this.name = 'Refusal';
    this.code = code;
    this.error = details.error ?? known.error;
    this.status = details.status ?? known.status ?? 400;
    this.suberror = details.suberror ?? known.suberror;
    this.claims = details.claims ?? known.claims;
  }
}
