import { sleep, systemClock } from '../../system/clock.ts';
import { accountOf, type Servers } from './servers.ts';

/** So long a server refuses, asking for a wait each time. */
const RETRY_AFTER_SECONDS = 12;

/** Something that goes wrong, or right again. */
interface Trouble {
  /** Since the one before. */
  readonly afterMs: number;
  readonly strike: (servers: Servers) => void;
}

/** What happens once. */
const ONCE: readonly Trouble[] = [
  // The outcome of a request is unknown where a second one would end the grant.
  { afterMs: 0, strike: ({ strict }) => strict.faults.next('cut-after-commit') },
  { afterMs: 15_000, strike: ({ steady }) => steady.revokeUser(accountOf('yard')) },
];

/** What happens again and again. */
const ROUND: readonly Trouble[] = [
  {
    afterMs: 5_000,
    strike: ({ shaky }) =>
      shaky.faults.always({ kind: 'throttled', retryAfter: RETRY_AFTER_SECONDS }),
  },
  { afterMs: 45_000, strike: ({ shaky }) => shaky.faults.clear() },
  { afterMs: 40_000, strike: ({ shaky }) => shaky.faults.always('server-error') },
  { afterMs: 60_000, strike: ({ shaky }) => shaky.faults.clear() },
  { afterMs: 60_000, strike: () => undefined },
];

/** Makes trouble until the signal aborts. */
export async function makeTroubles(servers: Servers, signal: AbortSignal): Promise<void> {
  const run = async (troubles: readonly Trouble[]): Promise<void> => {
    for (const { afterMs, strike } of troubles) {
      if (!(await sleep(systemClock, afterMs, signal))) return;
      strike(servers);
    }
  };
  await run(ONCE);
  while (!signal.aborted) await run(ROUND);
}
