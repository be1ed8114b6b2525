import { afterEach, expect, it } from 'vitest';
import { setSabotage } from '../support/failpoints.ts';
import { emulatorAuthority } from './experiments/authority.ts';
import { commitDurably } from './experiments/durable-commits.ts';
import { chooseSeed, type Findings } from './experiments/findings.ts';
import { herd } from './experiments/herd.ts';
import { answerLate } from './experiments/late-answer.ts';
import { killAtRandom } from './experiments/random-kills.ts';
import { stopHolder } from './experiments/stopped.ts';
import { tellEarly } from './experiments/told-early.ts';

/*
 * Each defence is switched off, and the experiment that watches over it must find that out. A test that cannot fail proves nothing.
 */

/** The experiment for each defence, in small, and the breach that it must count. */
const EXPERIMENTS: Readonly<Record<string, readonly [() => Promise<Findings>, string]>> = {
  intent: [
    () =>
      killAtRandom(() => emulatorAuthority('single-use', { commitDelayMs: 1, answerDelayMs: 30 }), {
        trials: 10,
        seed: chooseSeed('without the intent'),
      }),
    'lost in silence',
  ],
  claim: [() => stopHolder('after-send'), 'a refresh token sent twice'],
  reread: [() => herd(3), 'more than one request for an expiry'],
  'owner-check': [() => stopHolder('after-intent'), 'a refresh token sent twice'],
  'generation-check': [answerLate, 'answers dropped'],
  'store-before-serve': [tellEarly, 'told before it was stored'],
  sync: [() => commitDurably(5), 'not waited for the disk'],
};

afterEach(() => {
  switchOff(undefined);
});

it.each(Object.keys(EXPERIMENTS))(
  'without the defence "%s" its experiment goes red, with it it is green',
  async (defence) => {
    const [experiment, breach] = EXPERIMENTS[defence] ?? [];
    expect((await experiment?.())?.violations).toEqual([]);
    switchOff(defence);
    expect((await experiment?.())?.counted[breach ?? '']).toBeGreaterThan(0);
  },
  120_000,
);

/** In this process, and in those it starts. */
function switchOff(defence: string | undefined): void {
  for (const name of Object.keys(EXPERIMENTS)) setSabotage(name, name === defence);
  if (defence === undefined) delete process.env['EVERGRANT_SABOTAGE'];
  else process.env['EVERGRANT_SABOTAGE'] = defence;
}
