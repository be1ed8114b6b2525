import type { Command } from 'commander';
import type { LifeEvent } from '../connection/record.ts';
import type { Explanation } from '../keeper-api.ts';
import { isoInstant } from '../system/instant.ts';
import { oneLine } from './output/harmless.ts';
import { relativeTime } from './output/relative-time.ts';
import { print, printJson, type Session } from './session.ts';
import { withKeeper } from './with-home.ts';

/** Adds `evergrant explain`. */
export function addExplainCommand(program: Command, session: Session): void {
  program
    .command('explain')
    .summary('tell why a connection is where it is, and the fix')
    .description(
      'Tells the most likely cause of where a connection stands, how sure that is, who must do what, and its life.',
    )
    .argument('<name>', 'connection')
    .option('--json', 'print JSON; instants are epoch milliseconds')
    .addHelpText('after', '\nExample:\n  evergrant explain perspio')
    .action(async (name: string, options: { readonly json?: boolean }) => {
      const explanation = await withKeeper(session, (keeper) => keeper.connection(name).explain());
      if (options.json === true) return printJson(session, explanation);
      for (const line of story(explanation, session.clock.now())) print(session, line);
    });
}

function story(
  { status, cause, confidence, fix, life }: Explanation,
  now: number,
): readonly string[] {
  return [
    `${status.name}: ${status.state}${status.since === undefined ? '' : `, ${relativeTime(status.since, now)}`}`,
    ...(status.account === undefined ? [] : [`account: ${oneLine(status.account)}`]),
    `cause (${confidence}): ${cause}`,
    ...(status.actor === undefined ? [] : [`who must act: ${status.actor}`]),
    `fix: ${fix}`,
    'life, newest first:',
    ...life.map((event) => `  ${eventLine(event)}`),
  ];
}

function eventLine({ at, event, generation, detail, by, fingerprint }: LifeEvent): string {
  const name = event.replaceAll('_', ' ');
  const what = detail === undefined ? name : `${name}: ${detail}`;
  const token = fingerprint === undefined ? '' : `, refresh token ${fingerprint}`;
  return `${isoInstant(at)}  ${what} (generation ${String(generation)}${token}, by ${by})`;
}
