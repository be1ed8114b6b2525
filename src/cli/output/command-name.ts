import type { Session } from '../session.ts';

/** How this program can be run again by hand. */
export function commandName({ environment }: Session): string {
  return environment['npm_command'] === undefined ? 'evergrant' : 'npx evergrant';
}
