import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import type { EmulatorProcess, EmulatorProcessOptions } from '../support/emulator-process.ts';
import { startEmulatorProcess } from '../support/emulator-process.ts';
import { startConversation, type KeeperProcess } from '../support/keeper-process.ts';
import type { Rival } from './contender.ts';

/** The client at the server of these experiments. */
const CLIENT_ID = 'rival';
const main = path.join(import.meta.dirname, 'rival.process.ts');

/** A strict server: refresh tokens are good once, and using one again revokes the grant with its access tokens. */
export function startStrictServer(options: EmulatorProcessOptions = {}): Promise<EmulatorProcess> {
  return startEmulatorProcess({
    opaqueAccessTokens: true,
    clients: [{ clientId: CLIENT_ID, rotation: 'single-use' }],
    ...options,
  });
}

/** A rival's file in a temporary folder, opened by one process after the other. */
export interface RivalHome extends AsyncDisposable {
  /** The file. */
  readonly file: string;
  /** Puts a new grant in, as after a sign-in. @returns its id. */
  signIn(): Promise<string>;
  /** Starts a process on the file. */
  spawn(): Promise<KeeperProcess>;
}

/** Makes one that is signed in. */
export async function makeRivalHome(server: EmulatorProcess, rival: Rival): Promise<RivalHome> {
  const folder = await mkdtemp(path.join(tmpdir(), 'evergrant-rival-'));
  const file = path.join(folder, 'tokens.json');
  const { origin, tokenEndpoint } = server;
  const options = { rival, file, origin, tokenEndpoint, clientId: CLIENT_ID };
  return {
    file,
    async signIn() {
      // What a person does who finds a file that cannot be used.
      await rm(file, { force: true });
      await rm(`${file}.lockfile`, { force: true });
      const { grantId, refreshToken: seed } = await server.issueGrant({ clientId: CLIENT_ID });
      const run = promisify(execFile);
      await run(process.execPath, [main, JSON.stringify({ ...options, seed })]);
      return grantId;
    },
    spawn: () => startConversation(main, options),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}
