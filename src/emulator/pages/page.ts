import { html, type Answer } from '../http/answer.ts';

/** Markup that has been escaped already. */
export class Markup {
  /** The markup itself. */
  readonly text: string;

  /** Wraps text that is safe to send. */
  constructor(text: string) {
    this.text = text;
  }
}

/** Builds markup; every value that is not markup itself is escaped. */
export function markup(
  parts: TemplateStringsArray,
  ...values: readonly (string | Markup | readonly Markup[])[]
): Markup {
  return new Markup(
    parts.map((part, i) => part + (i < values.length ? escape(values[i]) : '')).join(''),
  );
}

function escape(value: string | Markup | readonly Markup[] | undefined): string {
  if (value instanceof Markup) return value.text;
  if (typeof value !== 'string') return (value ?? []).map((each) => each.text).join('');
  return value.replace(/[&<>"']/g, (char) => `&#${String(char.charCodeAt(0))};`);
}

const style = `
  :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
  body { display: grid; place-items: center; min-height: 100vh; margin: 0; }
  main { box-sizing: border-box; width: min(26rem, 100%); padding: 2rem; }
  h1 { font-size: 1.4rem; }
  fieldset { border: 1px solid GrayText; border-radius: .5rem; margin: 0 0 1rem; }
  label { display: block; padding: .25rem 0; }
  input[type=text], input[type=password] { box-sizing: border-box; width: 100%; padding: .5rem; font: inherit; }
  button { padding: .5rem 1.25rem; margin-right: .5rem; font: inherit; }
  .note { color: GrayText; font-size: .9rem; }
  .error { border-left: .25rem solid #c00; padding-left: .75rem; }
  code { overflow-wrap: anywhere; }
`;

/** A page that needs no script and may load nothing. */
export function page(status: number, title: string, content: Markup): Answer {
  const body = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(title)} - evergrant emulator</title>
<style>${style}</style>
<main>
<h1>${escape(title)}</h1>
${content.text}
<p class="note">This is the evergrant emulator, not Microsoft. Do not type a real password.</p>
</main>
</html>
`;
  return html(status, body, {
    'Cache-Control': 'no-store',
    'Content-Security-Policy':
      "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    'Referrer-Policy': 'no-referrer',
    'X-Content-Type-Options': 'nosniff',
  });
}
