import type { Command } from 'commander';
import { bashCompletion } from './completion/bash.ts';
import { fishCompletion } from './completion/fish.ts';
import { readGrammar } from './completion/grammar.ts';
import { zshCompletion } from './completion/zsh.ts';
import type { Session } from './session.ts';

const SHELLS = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion };

/** Adds `evergrant completion`. */
export function addCompletionCommand(program: Command, session: Session): void {
  program
    .command('completion')
    .summary('print a completion script for a shell')
    .description(
      'Prints a script that completes commands, options, connections and providers in bash, zsh or fish.',
    )
    .addArgument(program.createArgument('<shell>', 'shell').choices(Object.keys(SHELLS)))
    .addHelpText(
      'after',
      '\nExamples:\n  echo \'eval "$(evergrant completion bash)"\' >> ~/.bashrc' +
        '\n  evergrant completion zsh > ~/.zfunc/_evergrant\n  evergrant completion fish > ~/.config/fish/completions/evergrant.fish',
    )
    .action((shell: keyof typeof SHELLS) => {
      session.stdout.write(SHELLS[shell](readGrammar(program)));
    });
}
