import type { Launcher } from './evergrant-process.ts';

/** What the demo needs. */
export interface DemoOptions {
  /** How further processes of evergrant are started. */
  readonly launcher: Launcher;
  /** Ends the demo, and takes its processes and folders with it. */
  readonly signal: AbortSignal;
}
