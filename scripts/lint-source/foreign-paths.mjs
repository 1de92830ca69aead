/** Paths that lead out of the repository: a reader elsewhere does not have what is there. */
const foreign = /(?:\.\.|[/]work)[/]shared\b|[.]library\b|[/]work[/](?:main|brief)\b/g;

/**
 * @param {string} name relative to the root, with slashes
 * @param {string} text
 * @returns {{ line: number, column: number, message: string }[]}
 */
export function foreignPaths(name, text) {
  if (name === 'package-lock.json' || name.split('/').includes('bench')) return [];
  return text.split('\n').flatMap((content, at) =>
    [...content.matchAll(foreign)].map((match) => ({
      line: at + 1,
      column: match.index + 1,
      message: `"${match[0]}" leads out of the repository (only a bench folder may look there)`,
    })),
  );
}
