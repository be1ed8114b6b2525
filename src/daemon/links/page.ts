import { createHash } from 'node:crypto';

/*
 * A plain page: no script, nothing loaded, every text escaped. It is read by people who have never heard of evergrant.
 */

/** A page before it is HTML; all texts are plain. */
export interface Page {
  /** HTTP status. */
  readonly status: number;
  /** What it is about, in a few words. */
  readonly title: string;
  /** Paragraphs. */
  readonly text: readonly string[];
  /** Facts, name and value. */
  readonly facts?: readonly (readonly [string, string])[];
  /** A button that posts to an address of ours. */
  readonly button?: { readonly label: string; readonly action: string };
  /** Where the browser goes on to by itself. */
  readonly next?: { readonly label: string; readonly url: string };
}

const STYLE = `:root{color-scheme:light dark;--back:#f7f8f6;--card:#fff;--text:#1b211e;--soft:#59625d;--line:#dfe4e0;--main:#1b6b50;--on:#fff}
@media (prefers-color-scheme:dark){:root{--back:#121614;--card:#1a201d;--text:#e6ebe8;--soft:#a0aba5;--line:#2d3531;--main:#6cc8a4;--on:#08150f}}
*{box-sizing:border-box}body{margin:0;background:var(--back);color:var(--text);font:1rem/1.5 system-ui,sans-serif}
main{max-width:36rem;margin:12vh auto;padding:2rem;background:var(--card);border:1px solid var(--line);border-radius:.875rem}
@media (max-width:40rem){body{background:var(--card)}main{margin:0;padding:2rem 1.25rem;border:0}}h1{margin:0 0 1rem;font-size:1.5rem;line-height:1.25}
p,dd,h1{overflow-wrap:anywhere}dl{margin:1.5rem 0;border-top:1px solid var(--line)}
dl div{padding:.5rem 0;border-bottom:1px solid var(--line)}form{margin-top:1.5rem}dt{color:var(--soft);font-size:.875rem}dd{margin:0}
button{min-height:2.75rem;padding:.5rem 1.25rem;border:0;border-radius:.5rem;background:var(--main);color:var(--on);font:inherit;font-weight:600;cursor:pointer}
a{color:var(--main)}button:focus-visible,a:focus-visible{outline:3px solid var(--text);outline-offset:3px}`;

const STYLE_DIGEST = createHash('sha256').update(STYLE).digest('base64');

/** Header fields of a page. */
export function pageHeaders({ button }: Page): Readonly<Record<string, string>> {
  const policy = [
    "default-src 'none'",
    `style-src 'sha256-${STYLE_DIGEST}'`,
    `form-action ${button === undefined ? "'none'" : "'self'"}`,
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ];
  return {
    'content-security-policy': policy.join('; '),
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    // With no-referrer a browser would send `Origin: null` along with the form.
    'referrer-policy': button === undefined ? 'no-referrer' : 'same-origin',
  };
}

/** The page as HTML. */
export function toHtml({ title, text, facts = [], button, next }: Page): string {
  const refresh =
    next === undefined
      ? ''
      : `<meta http-equiv="refresh" content="0; url=${escapeHtml(next.url)}">`;
  const rows = facts.map(
    ([name, value]) => `<div><dt>${escapeHtml(name)}</dt><dd>${escapeHtml(value)}</dd></div>`,
  );
  return [
    '<!doctype html><html lang="en"><head><meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<meta name="robots" content="noindex">',
    `${refresh}<title>${escapeHtml(title)} · evergrant</title><style>${STYLE}</style></head>`,
    `<body><main><h1>${escapeHtml(title)}</h1>`,
    ...text.map((paragraph) => `<p>${escapeHtml(paragraph)}</p>`),
    rows.length === 0 ? '' : `<dl>${rows.join('')}</dl>`,
    button === undefined
      ? ''
      : `<form method="post" action="${escapeHtml(button.action)}"><button>${escapeHtml(button.label)}</button></form>`,
    next === undefined
      ? ''
      : `<p><a href="${escapeHtml(next.url)}" rel="noreferrer">${escapeHtml(next.label)}</a></p>`,
    '</main></body></html>\n',
  ].join('');
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** For text and for values in quotes. Characters that show nothing, or turn the direction of others, are left out. */
export function escapeHtml(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Cf}\p{Co}\p{Cs}]+/gu, ' ')
    .replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}
