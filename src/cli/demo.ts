import type { Command } from 'commander';
import type { Session } from './session.ts';

/** Adds `evergrant demo`. */
export function addDemoCommand(program: Command, session: Session): void {
  program
    .command('demo')
    .summary('see it work against the emulator')
    .description(
      'Shows, against an emulator on this machine, what evergrant does. Touches no connection of yours and no network.',
    )
    .addHelpText('after', '\nExample:\n  evergrant demo')
    .action(async () => {
      const { runDemo } = await import('../demo/demo.ts');
      await runDemo({
        print: (line: string) => void session.stdout.write(`${line}\n`),
        signal: session.signal,
      });
    });
}
