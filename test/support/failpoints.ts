import { appendFileSync } from 'node:fs';

/*
 * The test build of `#failpoints`. EVERGRANT_FAILPOINTS holds `name:action[@n]` items separated by commas; actions: `kill`, `stop`,
 * `throw`; `@n` picks the n-th passage (default 1). EVERGRANT_FAILPOINT_LOG names a file that gets a line for each item that fires.
 * EVERGRANT_SABOTAGE holds defences that are switched off, separated by commas.
 */
interface Armed {
  readonly action: string;
  readonly at: number;
  passed: number;
}

const armed = new Map<string, Armed>();
for (const item of (process.env['EVERGRANT_FAILPOINTS'] ?? '').split(',').filter(Boolean)) {
  const [, name, action, at] = /^([\w-]+):(\w+)(?:@(\d+))?$/.exec(item) ?? [];
  if (name === undefined || action === undefined)
    throw new TypeError(`malformed failpoint ${item}`);
  armed.set(name, { action, at: Number(at ?? 1), passed: 0 });
}
const sabotage = new Set((process.env['EVERGRANT_SABOTAGE'] ?? '').split(',').filter(Boolean));

export function failpoint(name: string): void {
  const point = armed.get(name);
  if (point === undefined) return;
  point.passed += 1;
  if (point.passed !== point.at) return;
  const log = process.env['EVERGRANT_FAILPOINT_LOG'];
  if (log !== undefined) appendFileSync(log, `${name} ${point.action} ${String(process.pid)}\n`);
  if (point.action === 'kill') process.kill(process.pid, 'SIGKILL');
  else if (point.action === 'stop') process.kill(process.pid, 'SIGSTOP');
  else if (point.action === 'throw') throw new Error(`failpoint ${name}`);
}

export function sabotaged(defence: string): boolean {
  return sabotage.has(defence);
}

/** Switches a defence off (or on again) inside the running test process. */
export function setSabotage(defence: string, off: boolean): void {
  if (off) sabotage.add(defence);
  else sabotage.delete(defence);
}
