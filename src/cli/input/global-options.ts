import type { Command } from 'commander';
import { UsageError } from '../usage-error.ts';
import { camelCase } from './camel-case.ts';

/** An option that every command takes, before or after its name. */
export interface GlobalOption {
  /** Without the dashes. */
  readonly name: string;
  /** What its value is, as shown in angle brackets; undefined for a flag. */
  readonly value: string | undefined;
  /** One line for people. */
  readonly description: string;
}

/** Where the home is and what opens it. Kept as data, because the quick way to a token parses them without commander. */
export const GLOBAL_OPTIONS: readonly GlobalOption[] = [
  {
    name: 'home',
    value: 'dir',
    description: 'folder of the connections (default: $EVERGRANT_HOME, else the usual place)',
  },
  {
    name: 'key-file',
    value: 'file',
    description: 'file of the master key (default: $EVERGRANT_KEY_FILE, else the usual place)',
  },
  {
    name: 'passphrase-file',
    value: 'file',
    description:
      'the master key is a passphrase, in this file; - reads standard input (default: $EVERGRANT_PASSPHRASE_FILE)',
  },
  {
    name: 'passphrase-fd',
    value: 'number',
    description: 'the master key is a passphrase, from this open file descriptor',
  },
  {
    name: 'passphrase-stdin',
    value: undefined,
    description: 'the master key is a passphrase, from standard input',
  },
  {
    name: 'ask-passphrase',
    value: undefined,
    description: 'the master key is a passphrase; ask for it',
  },
  {
    name: 'direct',
    value: undefined,
    description: 'open the store, even where a daemon answers',
  },
  {
    name: 'keychain',
    value: undefined,
    description: "the master key is in the system's keychain (default: $EVERGRANT_KEYCHAIN=1)",
  },
];

/** What the global options of one run say, by name in camel case. */
export interface GlobalValues {
  readonly home?: string;
  readonly keyFile?: string;
  readonly passphraseFile?: string;
  readonly passphraseFd?: string;
  readonly passphraseStdin?: boolean;
  readonly askPassphrase?: boolean;
  readonly keychain?: boolean;
  readonly direct?: boolean;
}

/** Declares them. */
export function addGlobalOptions(command: Command): void {
  for (const { name, value, description } of GLOBAL_OPTIONS) {
    command.option(value === undefined ? `--${name}` : `--${name} <${value}>`, description);
  }
}

/**
 * Refuses an option without a value, as an unset variable of a script leaves it: it must not lead to the usual home or key instead.
 *
 * @throws {@link UsageError} naming the option.
 */
export function refuseEmptyValues(values: GlobalValues): void {
  const given: Readonly<Record<string, unknown>> = { ...values };
  const empty = GLOBAL_OPTIONS.find(({ name }) => given[camelCase(name)] === '');
  if (empty === undefined) return;
  throw new UsageError(
    `--${empty.name} is empty; give a ${empty.value ?? 'value'}, or leave it out`,
  );
}
