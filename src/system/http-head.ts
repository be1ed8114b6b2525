import type { HttpFailure } from './http.ts';

const STATUS_LINE = /^HTTP\/1\.([01]) ([1-5]\d\d)(?: [\t\x20-\x7e\x80-\xff]*)?$/;
const FIELD = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):([\t\x20-\x7e\x80-\xff]*)$/;

/** Thrown when an answer cannot be read. */
export class AnswerFault extends Error {
  override readonly name = 'AnswerFault';
  /** Which kind of failure it is. */
  readonly failure: HttpFailure;

  /** @param message - says what is wrong with the answer. */
  constructor(failure: HttpFailure, message: string) {
    super(message);
    this.failure = failure;
  }
}

/** The head of an answer. */
export interface Head {
  /** Status code. */
  readonly status: number;
  /** Whether it is HTTP/1.0, which knows neither chunks nor, by itself, connections that last. */
  readonly isOld: boolean;
  /** Header fields by lower-case name; repeated ones joined by a comma and a space. */
  readonly fields: Readonly<Record<string, string>>;
}

/** Reads a head without the empty line that ends it. @throws {@link AnswerFault} */
export function parseHead(text: string): Head {
  const [statusLine = '', ...lines] = text.split('\r\n');
  const [, minor, status] = STATUS_LINE.exec(statusLine) ?? [];
  if (status === undefined) throw fault('the answer is no HTTP');
  // A name such as __proto__ is a name like any other.
  const fields = Object.create(null) as Record<string, string>;
  for (const line of lines) {
    const [, name, value] = FIELD.exec(line) ?? [];
    if (name === undefined || value === undefined)
      throw fault('the answer has a broken header field');
    const key = name.toLowerCase();
    const before = fields[key];
    const trimmed = trim(value);
    fields[key] = before === undefined ? trimmed : `${before}, ${trimmed}`;
  }
  return { status: Number(status), isOld: minor === '0', fields };
}

/** By hand: an expression that looks for an end of spaces takes its time over many of them. */
function trim(value: string): string {
  let from = 0;
  let to = value.length;
  while (from < to && isBlank(value, from)) from++;
  while (to > from && isBlank(value, to - 1)) to--;
  return value.slice(from, to);
}

function isBlank(value: string, at: number): boolean {
  return value[at] === ' ' || value[at] === '\t';
}

/** Whether a line is a field. */
export function isField(line: string): boolean {
  return FIELD.test(line);
}

function fault(message: string): AnswerFault {
  return new AnswerFault('malformed', message);
}
