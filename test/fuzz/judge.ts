import { inspect } from 'node:util';
import { EvergrantError } from '../../src/errors.ts';
import { findLeaks, type Canary } from '../support/leaks.ts';

/** Says what is wrong with something that was thrown; undefined when it is one of evergrant's own and tells nothing that it must not. */
export function breachOfError(error: unknown, canaries: readonly Canary[]): string | undefined {
  if (!(error instanceof EvergrantError)) return `untyped: ${inspect(error)}`;
  if (!/^ERR_[A-Z_]+$/.test(error.code)) return `no code: ${error.code}`;
  return breachOfMessage(error.message) ?? breachOfShown(error, canaries);
}

/** Says what is wrong with words for people. */
export function breachOfMessage(message: string): string | undefined {
  if (/[\p{Cc}\p{Cf}\u2028\u2029]/u.test(message)) return `control: ${JSON.stringify(message)}`;
  return message.length > 2_000 ? `a message of ${String(message.length)} characters` : undefined;
}

/** Says which secret can be read in anything that is printed of a value. */
export function breachOfShown(value: unknown, canaries: readonly Canary[]): string | undefined {
  const printed = [
    inspect(value, { depth: Infinity, showHidden: true, maxStringLength: Infinity }),
    JSON.stringify([value]),
    String(value),
  ];
  const evidence = printed.map((text) => ({ where: 'print', bytes: Buffer.from(text) }));
  const [leak] = findLeaks(canaries, evidence);
  return leak === undefined
    ? undefined
    : `leak of ${leak.kind} as ${leak.form}: ${printed[0] ?? ''}`;
}

/** Says so when the prototype that all objects share was touched. */
export function breachOfPrototype(): string | undefined {
  const names = Object.keys(Object.prototype);
  return names.length === 0 ? undefined : `the prototype has ${names.join(', ')}`;
}
