/** A report: one HTML page that needs nothing else, for light and dark, screen and paper. */
import type { ResultTable } from '@backplane/lab';
import { version } from '../version.ts';

/** HTML that has been made here. Text from elsewhere becomes it by `escaped` only. */
export type Html = string & { readonly __html: true };

const html = (text: string): Html => text as Html;

const escaped = (text: string): Html =>
  html(
    text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;'),
  );

const rowsMax = 500;
const isNumeric = (text: string): boolean => /^[-+]?\d[\d,]*(\.\d+)?( ?%)?( OUT)?$/.test(text);

/** Columns of numbers are aligned to the right. */
export function table({ title, head, rows, note }: ResultTable): Html {
  const numeric = head.map((_, i) => rows.every((r) => (r[i] ?? '') === '' || isNumeric(r[i] ?? '')));
  const cell = (tag: 'td' | 'th', text: string, i: number): string =>
    `<${tag}${numeric[i] === true ? ' class="n"' : ''}>${escaped(text)}</${tag}>`;
  const left = rows.length - rowsMax;
  const notes = [note, left > 0 ? `${left} more rows are not shown; --json has them.` : undefined];
  const caption = title === '' ? '' : `<figcaption>${escaped(title)}</figcaption>`;
  return html(`<figure>${caption}<div class="scroll"><table>
<thead><tr>${head.map((h, i) => cell('th', h, i)).join('')}</tr></thead>
<tbody>${rows
    .slice(0, rowsMax)
    .map((r) => `<tr>${head.map((_, i) => cell('td', r[i] ?? '', i)).join('')}</tr>`)
    .join('\n')}</tbody></table></div>${notes
    .filter((n) => n !== undefined)
    .map((n) => `<p class="note">${escaped(n)}</p>`)
    .join('')}</figure>`);
}

/** @param svg as the charts draw it @param says what it shows, in words */
export const plot = (svg: string, says: string): Html =>
  html(
    `<figure class="plot"><figcaption>${escaped(says)}</figcaption><div class="scroll">${svg.replace('<svg ', `<svg role="img" aria-label="${escaped(says)}" `)}</div></figure>`,
  );

/** Pairs of what and which. */
export const facts = (pairs: readonly (readonly [string, string])[]): Html =>
  html(
    `<dl>${pairs.map(([name, value]) => `<dt>${escaped(name)}</dt><dd>${escaped(value)}</dd>`).join('')}</dl>`,
  );

export const section = (title: string, ...parts: readonly Html[]): Html =>
  html(`<section><h2>${escaped(title)}</h2>\n${parts.join('\n')}</section>`);

export const folded = (title: string, ...parts: readonly Html[]): Html =>
  html(`<details><summary>${escaped(title)}</summary>\n${parts.join('\n')}</details>`);

export const paragraph = (text: string): Html => html(`<p>${escaped(text)}</p>`);

/** @param words the command line that makes it again */
export function page(title: string, words: readonly string[], sections: readonly Html[]): string {
  const command = ['backplane', ...words.map((w) => (/^[\w@%+=:,./-]+$/.test(w) ? w : `'${w}'`))].join(' ');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escaped(title)}</title>
<style>${style}</style>
</head>
<body>
<header><h1>${escaped(title)}</h1>
<pre><code>${escaped(command)}</code></pre></header>
<main>
${sections.join('\n')}
</main>
<footer>Backplane ${escaped(version)}. Virtual time: the command above gives the same numbers on every machine.</footer>
</body>
</html>
`;
}

const style = `
:root { color-scheme: light dark; --paper: #fcfcfb; --ink: #20211f; --soft: #63655f; --line: #dedfda; --raised: #f3f3f0;
  --series-1: #2a6fbb; --series-2: #c2641a; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #181917; --ink: #e9e9e5; --soft: #a3a59d; --line: #363833; --raised: #21231f;
    --series-1: #68a6ea; --series-2: #e8935a; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2.5rem 1.5rem 3rem; max-width: 62rem; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .8rem; font-weight: 650; }
h2 { font-size: 1.15rem; margin: 2.4rem 0 .7rem; font-weight: 650; }
pre { background: var(--raised); border: 1px solid var(--line); border-radius: 6px; padding: .6rem .8rem; margin: 0;
  overflow-x: auto; font-size: .87rem; }
p { margin: .4rem 0; max-width: 44rem; }
figure { margin: 1rem 0 1.5rem; }
figcaption { font-weight: 600; margin-bottom: .45rem; }
.note, footer { color: var(--soft); font-size: .87rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .28rem .9rem .28rem 0; vertical-align: baseline; white-space: nowrap; }
th { color: var(--soft); font-weight: 500; border-bottom: 1px solid var(--line); }
td { border-bottom: 1px solid color-mix(in srgb, var(--line) 55%, transparent); }
.n { text-align: right; }
th:last-child, td:last-child { padding-right: 0; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1.4rem; margin: .4rem 0; }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }
details { margin: .8rem 0; border-top: 1px solid var(--line); padding-top: .6rem; }
summary { cursor: pointer; font-weight: 600; }
svg { display: block; max-width: 100%; height: auto; color: var(--ink); }
footer { margin-top: 3rem; border-top: 1px solid var(--line); padding-top: .8rem; }
@media print { details { break-inside: avoid; } body { padding: 0; } }
`;
