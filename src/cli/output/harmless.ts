/** What could move the cursor, forge a line or turn the direction of writing round. */
const HARMFUL = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]+/gu;

/** Text of a server, a file or an argument as one line that a terminal shows and does not obey. */
export function oneLine(text: string): string {
  return text.replace(HARMFUL, ' ').trim();
}

/** The same for text whose line breaks are ours. */
export function harmless(text: string): string {
  return text
    .split('\n')
    .map((line) => line.replace(HARMFUL, ' '))
    .join('\n');
}

/** JSON of the same value in which a terminal finds nothing to obey; JSON itself escapes only a part of that. */
export function harmlessJson(json: string): string {
  return json.replace(HARMFUL, (text) =>
    Array.from({ length: text.length }, (_, i) => {
      return `\\u${text.charCodeAt(i).toString(16).padStart(4, '0')}`;
    }).join(''),
  );
}
