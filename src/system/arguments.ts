import { ConfigurationError } from '../errors.ts';
import { Secret } from '../secret.ts';

/*
 * What callers of a keeper give, here or from afar. From JavaScript anything may come; each check throws ConfigurationError `ERR_ARGUMENT`, naming the
 * option, never its value.
 */

/** Options that hold others. */
export function checkObject(value: unknown, option: string): void {
  if (typeof value !== 'object' || value === null) throw wrongArgument(`${option} is no object`);
}

/** A connection that a handle is asked for. Whether there is one of that name is told when it is used. */
export function checkHandleName(name: unknown): void {
  if (typeof name !== 'string') throw wrongArgument('the name of a connection is no string');
}

/** How many connections to list; may be left out. */
export function checkLimit(limit: number | undefined): void {
  if (limit === undefined || (Number.isSafeInteger(limit) && limit >= 0)) return;
  throw wrongArgument('limit is no number of connections; give a whole number from 0 on');
}

/** A duration, which may be left out. */
export function checkMs(value: number | undefined, option: string): number | undefined {
  if (value === undefined || (Number.isFinite(value) && value >= 0)) return value;
  throw wrongArgument(`${option} is no duration in milliseconds; give a number from 0 on`);
}

/** A secret as callers may give it. */
export function secretOf(input: string | Secret | undefined, option: string): Secret {
  const secret = typeof input === 'string' ? new Secret(input) : input;
  if (secret instanceof Secret && secret.reveal() !== '') return secret;
  const fault = input === undefined ? 'missing' : secret instanceof Secret ? 'empty' : 'no secret';
  throw wrongArgument(`${option} is ${fault}; give the secret itself`);
}

/** The error for an argument that is wrong. */
export function wrongArgument(message: string): ConfigurationError {
  return new ConfigurationError('ERR_ARGUMENT', message);
}
