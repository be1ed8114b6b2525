import type { Clock } from '../system/clock.ts';
import { isoInstant } from '../system/instant.ts';
import type { Log } from '../system/log.ts';

/** Form of log lines. */
export type LogForm = 'text' | 'json' | 'journal';

/** Text of servers and files is cut here. */
const LONGEST_TEXT = 200;
/** Could move the cursor, forge a line or turn the direction of writing round. */
const HARMFUL = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]+/gu;
/** Priorities of syslog(3), as systemd reads them at the beginning of a line. */
const PRIORITIES = { info: 6, warn: 4 } as const;

/** A log whose form may change while it is used. */
export interface LineLog extends Log {
  /** Form of the lines to come. */
  form: LogForm;
}

/** Writes each message as one line. Control characters are escaped or dropped, whoever they came from. */
export function lineLog(form: LogForm, clock: Clock, write: (line: string) => void): LineLog {
  const tell =
    (level: 'info' | 'warn') =>
    (message: string, fields: Readonly<Record<string, unknown>> = {}): void => {
      const known = Object.entries(fields).filter(([, value]) => value !== undefined);
      write(lineOf(log.form, level, clock.now(), clean(message, 1_000), known));
    };
  const log: LineLog = { form, info: tell('info'), warn: tell('warn') };
  return log;
}

function lineOf(
  form: LogForm,
  level: 'info' | 'warn',
  at: number,
  message: string,
  fields: readonly (readonly [string, unknown])[],
): string {
  if (form === 'json') {
    const facts = fields.map(([name, value]) => [name, plain(value)] as const);
    return JSON.stringify({ time: isoInstant(at), level, message, ...Object.fromEntries(facts) });
  }
  const facts = fields.map(([name, value]) => ` ${name}=${JSON.stringify(plain(value))}`).join('');
  if (form === 'journal') return `<${String(PRIORITIES[level])}>${message}${facts}`;
  return `${isoInstant(at)} ${level.padEnd(4)} ${message}${facts}`;
}

function plain(value: unknown): unknown {
  return typeof value === 'number' || typeof value === 'boolean'
    ? value
    : clean(String(value), LONGEST_TEXT);
}

function clean(text: string, most: number): string {
  const line = text.replace(HARMFUL, ' ').trim();
  return line.length > most ? `${line.slice(0, most)}…` : line;
}
