import { isPastEarlyExpiry } from '../connection/freshness.ts';
import { openToken } from '../connection/token-set.ts';
import type { Secret } from '../secret.ts';
import { glanceAt } from '../store/sqlite/glance.ts';
import { systemClock } from '../system/clock.ts';
import { checkOwnerOnlySync } from '../system/ownership.ts';
import { homePaths } from '../system/home.ts';
import { checkParents } from '../system/parents.ts';
import { systemRandom } from '../system/random.ts';

/*
 * The short way to a token, for a process that was started for that alone. Mostly the token lives, and then neither a keeper nor a network is
 * needed: a cold process spends its time on loading code, so this file and all it imports are few.
 */

/** Where a token is looked for. */
export interface AtHandOptions {
  /** As for a keeper. */
  readonly home: string | undefined;
  /** The environment variables. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/**
 * The access token of a connection, where a keeper would serve it without doing anything else. Undefined in all other cases, whatever they
 * are: a keeper refreshes, waits, warns and explains.
 */
export function tokenAtHand(name: string, options: AtHandOptions): Secret | undefined {
  try {
    return read(name, options);
  } catch {
    // The keeper meets the same fault, and tells it.
    return undefined;
  }
}

function read(name: string, { home, environment }: AtHandOptions): Secret | undefined {
  const paths = homePaths(home, environment);
  for (const folder of [paths.home, paths.keys]) checkParents(folder);
  for (const folder of [paths.home, paths.spills, paths.keys]) checkOwnerOnlySync(folder, 'folder');
  // To judge settings takes a library.
  if (checkOwnerOnlySync(paths.settingsFile, 'file') !== undefined) return undefined;
  const now = systemClock.now();
  const { store: folder, markFile, keyFile } = paths;
  const glance = glanceAt({ name, folder, markFile, keyFile, now, random: systemRandom });
  if (glance === undefined) return undefined;
  const { connection, sealer } = glance;
  const { state, tokens, intent } = connection;
  // What an attempt left in doubt is looked after at once.
  if (tokens === undefined || intent !== undefined || state.kind === 'disconnected')
    return undefined;
  if (isPastEarlyExpiry(tokens, now)) return undefined;
  return openToken(sealer, connection, 'accessToken');
}
