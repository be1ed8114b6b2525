import type { Engine } from '../refresh/engine.ts';
import type { Memory } from '../refresh/memory.ts';
import type { Server } from '../refresh/serve.ts';
import type { ApiMemory } from '../resource/memory.ts';
import type { Fetch } from '../system/fetch.ts';

/** What a handle works with. */
export interface HandleParts {
  /** Refreshing and what it works with. */
  readonly engine: Engine;
  /** The way to the API. */
  readonly transport: Fetch;
  /** What the keeper remembers. */
  readonly memory: Memory;
  /** Hands out tokens. */
  readonly server: Server;
  /** What the API calls of a connection and registration, named by their ids, know from each other. */
  apiMemory(key: string): ApiMemory;
  /** Throws when the keeper is closed. */
  assertOpen(): void;
}
