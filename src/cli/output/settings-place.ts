import { lineOf } from '../../settings/json-lines.ts';

/**
 * Puts file and line before what is said of an option of the settings, where it begins with the option's name; the file alone before anything else.
 *
 * @param text - of the file.
 */
export function placer(file: string, text: string): (message: string) => string {
  return (message) => {
    const path = /^(?:daemon\.)?[A-Za-z]+(?= )/.exec(message)?.[0].split('.');
    const isNamed = path !== undefined && text.includes(`"${path.at(-1) ?? ''}"`);
    return `${file}: ${isNamed ? `line ${String(lineOf(text, path))}: ` : ''}${message}`;
  };
}
