import { race, type RaceOptions } from './race.ts';
import type { Entrant, Judged, Outcome, Row } from './row.ts';

/** A row whose bar is a ratio: our figure to the limit's. */
export interface RatioRow extends Omit<Row, 'run'>, Omit<RaceOptions, 'rounds'> {
  /** The most that ours may be of the limit. */
  readonly bar: number;
  /** Who takes part: ours, the limit, then the peers. */
  entrants(): Promise<Lineup> | Lineup;
}

/** Those who take part, and what must end when they are done. */
export interface Lineup {
  /** Ours first, then the limit. */
  readonly entrants: readonly [ours: Entrant, limit: Entrant, ...peers: Entrant[]];
  /** What must hold besides the ratio, once all rounds are done. */
  judge?(): Promise<readonly Judged[]>;
  /** Ends what the row started for them. */
  close?(): Promise<void>;
}

/** Makes the row. */
export function ratioRow(row: RatioRow): Row {
  return {
    ...row,
    async run(options): Promise<Outcome> {
      const { entrants, judge, close } = await row.entrants();
      try {
        const figures = await race(entrants, { ...row, ...options });
        const [ours, limit] = figures;
        if (ours === undefined || limit === undefined) throw new Error('a row needs two figures');
        const ratio = { what: 'ratio', is: ours.value / limit.value, atMost: row.bar };
        return { figures, judged: [ratio, ...((await judge?.()) ?? [])] };
      } finally {
        await close?.();
      }
    },
  };
}
