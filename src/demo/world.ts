import { startEmulator, type Emulator, type EmulatorOptions } from '../emulator/emulator.ts';
import { openKeeper } from '../keeper.ts';
import type { Keeper } from '../keeper-api.ts';
import { sleep, systemClock, type Clock } from '../system/clock.ts';
import { systemFetch, type Fetch } from '../system/fetch.ts';
import { makeTemporaryFolder, removeFolder } from '../system/temporary-folder.ts';
import { startEvergrant, type EvergrantProcess, type Launcher } from './evergrant-process.ts';

/** What a world begins with. */
export interface WorldOptions {
  /** How long ago it begins: a token issued at its beginning has aged by that when {@link World.catchUp} is called. By default now. */
  readonly agoMs?: number;
  /** How its server behaves. */
  readonly emulator?: EmulatorOptions;
}

const CLOSE_PATIENCE_MS = 5_000;

/** A server, a home, and one clock for both: so that hours pass on both sides of the wire at once, without anybody waiting. */
export class World implements AsyncDisposable {
  /** The server. */
  readonly emulator: Emulator;
  /** Folder of the home, which goes when the world is closed. */
  readonly home: string;
  /** Ends everything that waits. */
  readonly signal: AbortSignal;
  /** Header fields of the calls that its keepers have made to the API, oldest first. */
  readonly apiCalls: Headers[] = [];
  readonly #callApi: Fetch = (input, init) => {
    this.apiCalls.push(new Headers(init?.headers));
    return systemFetch(input, init);
  };
  readonly #launcher: Launcher;
  readonly #processes: EvergrantProcess[] = [];
  #keeper: Keeper | undefined;

  private constructor(emulator: Emulator, home: string, launcher: Launcher, signal: AbortSignal) {
    this.emulator = emulator;
    this.home = home;
    this.signal = signal;
    this.#launcher = launcher;
  }

  /** Starts a server and makes an empty home. */
  static async begin(
    { agoMs = 0, emulator: options = {} }: WorldOptions,
    launcher: Launcher,
    signal: AbortSignal,
  ): Promise<World> {
    const clock: Clock = { ...systemClock, now: () => systemClock.now() - agoMs };
    const emulator = await startEmulator({ clock, ...options });
    const home = await makeTemporaryFolder('evergrant-demo-');
    return new World(emulator, home, launcher, signal);
  }

  /** The keeper of the home in this process, opened at first use. */
  async keeper(): Promise<Keeper> {
    const { home } = this;
    const { clock } = this.emulator;
    this.#keeper ??= await openKeeper({ home, clock, fetch: this.#callApi });
    return this.#keeper;
  }

  /** Closes the keeper, so that the next one knows only what is on disk. */
  async forget(): Promise<void> {
    await this.#keeper?.close();
    this.#keeper = undefined;
  }

  /** Lets time pass, on both sides. */
  pass(ms: number): void {
    this.emulator.clock.advance(ms);
  }

  /** Moves the world's clock to the present, by which other processes go. */
  catchUp(): void {
    this.pass(Math.max(0, systemClock.now() - this.emulator.clock.now()));
  }

  /** Runs evergrant as a process of its own on this home. */
  run(...args: readonly string[]): EvergrantProcess {
    const process = startEvergrant(this.#launcher, this.home, args);
    this.#processes.push(process);
    return process;
  }

  /** Ends its processes, server and keeper, and removes the home. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const process of this.#processes) process.kill();
    await this.emulator.close();
    const closed = this.forget().catch(() => undefined);
    await Promise.race([closed, sleep(systemClock, CLOSE_PATIENCE_MS)]);
    await Promise.all(this.#processes.map((process) => process.finished));
    await removeFolder(this.home);
  }
}
