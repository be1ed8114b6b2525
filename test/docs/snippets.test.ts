import path from 'node:path';
import { CommanderError, type Command } from 'commander';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { refuseSecretArguments } from '../../src/cli/input/refused-arguments.ts';
import { buildProgram } from '../../src/cli/program.ts';
import { blocksOf, pages, readPage, type Block } from '../support/pages.ts';
import { commandsIn, words } from '../support/shell-lines.ts';
import { root } from '../support/sources.ts';
import { collectingSession } from '../unit/cli/run-cli.ts';

/*
 * What a page shows can be typed: TypeScript is checked against the sources, commands are read by the command line itself.
 */

const blocks = pages().flatMap(blocksOf);

/** Names that a page may use once it has introduced them. */
const introduced = `
import type { Connection, Keeper } from 'evergrant';
import type { Emulator } from 'evergrant/emulator';
declare global {
  const keeper: Keeper;
  const perspio: Connection;
  const emulator: Emulator;
}
`;

describe('TypeScript in the pages', () => {
  const shown = blocks.filter(({ language }) => language === 'ts');

  it('is there', () => {
    expect(shown.length).toBeGreaterThan(10);
  });

  it('agrees with the sources', { timeout: 300_000 }, () => {
    expect(typeErrors(shown)).toEqual([]);
  });
});

describe('commands in the pages', () => {
  const shown = blocks
    .filter(({ language }) => language === 'sh')
    .flatMap(({ where, text }) => commandsIn(text).map((command) => [command, where] as const));
  const inline = pages().flatMap((page) =>
    [...readPage(page).matchAll(/`evergrant ([^`\n]+)`/g)].map(
      ([, command = '']) => [command, page] as const,
    ),
  );

  it('are there', () => {
    expect(shown.length).toBeGreaterThan(20);
  });

  it.each(shown)('evergrant %s (%s) is understood', async (command) => {
    await expect(read(command)).resolves.toBe('understood');
  });

  it.each(inline)('`evergrant %s` (%s) is understood as far as it goes', async (command) => {
    expect(['understood', 'commander.missingArgument', 'commander.help']).toContain(
      await read(command),
    );
  });
});

function typeErrors(snippets: readonly Block[]): string[] {
  const files = new Map(
    snippets.map(({ where, text }, i) => [
      path.join(root, `snippet-${i}.ts`),
      { where, text: `${text}\nexport {};\n` },
    ]),
  );
  const globals = path.join(root, 'snippet-globals.ts');
  files.set(globals, { where: globals, text: introduced });
  const options = compilerOptions();
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists, readFile } = host;
  host.fileExists = (name) => files.has(name) || fileExists(name);
  host.readFile = (name) => files.get(name)?.text ?? readFile(name);
  host.getSourceFile = (name, target, ...rest) => {
    const own = files.get(name)?.text;
    return own === undefined
      ? getSourceFile(name, target, ...rest)
      : ts.createSourceFile(name, own, target);
  };
  const program = ts.createProgram([...files.keys()], options, host);
  return [...files].flatMap(([name, { where }]) => {
    const source = program.getSourceFile(name);
    const found = [
      ...program.getSyntacticDiagnostics(source),
      ...program.getSemanticDiagnostics(source),
    ];
    return found.map((one) => `${where}: ${ts.flattenDiagnosticMessageText(one.messageText, ' ')}`);
  });
}

/** Those of the project. A fragment may leave what it shows unused. */
function compilerOptions(): ts.CompilerOptions {
  const config = path.join(root, 'tsconfig.json');
  const { config: json } = ts.readConfigFile(config, (name) => ts.sys.readFile(name));
  const { options } = ts.parseJsonConfigFileContent(json, ts.sys, root);
  return { ...options, noUnusedLocals: false };
}

/** Has the command line read a command and do nothing. @returns `understood`, or why not */
async function read(command: string): Promise<string> {
  const argv = words(command);
  refuseSecretArguments(argv);
  const program = buildProgram(collectingSession().session);
  withoutActions(program);
  try {
    await program.parseAsync(argv, { from: 'user' });
    return 'understood';
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? 'understood' : error.code;
  }
}

function withoutActions(command: Command): void {
  if (command.commands.length === 0) command.action(() => undefined);
  for (const child of command.commands) withoutActions(child);
}
