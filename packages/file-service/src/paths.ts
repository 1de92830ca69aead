/** Paths as text: what naming does with them before a server walks them. Nothing here looks at a directory. */

/** Is this path the prefix itself or below it? Whole components only: "/ab" is not below "/a". */
export function isUnder(prefix: string, path: string): boolean {
  return prefix === '/' || path === prefix || path.startsWith(`${prefix}/`);
}

/** What is left of a path below its prefix. */
export function remainderOf(prefix: string, path: string): string {
  let from = prefix === '/' ? 0 : prefix.length;
  while (path[from] === '/') from++;
  return path.slice(from);
}

/** Without slashes at the end, repeated slashes and "." components; ".." stays, since only a server can tell where it leads. */
export function tidy(path: string): string {
  if (!/\/(\/|$|\.(\/|$))|^\.(\/|$)/.test(path)) return path;
  const components = path.split('/').filter((c) => c !== '' && c !== '.');
  return `${path.startsWith('/') ? '/' : ''}${components.join('/')}`;
}

/** Everything but the last component, and the last component. */
export function splitLast(path: string): { readonly parent: string; readonly last: string } {
  const end = path.replace(/\/+$/, '');
  const at = end.lastIndexOf('/');
  if (at < 0) return { parent: '.', last: end };
  return { parent: at === 0 ? '/' : end.slice(0, at), last: end.slice(at + 1) };
}

/**
 * The path that ".." above a domain's root leads to: the prefix "/a/b" and the rest "../x" make "/a/x". Above the root of
 * everything is the root.
 */
export function climb(prefix: string, rest: string): string {
  const above = prefix === '/' ? '/' : splitLast(prefix).parent;
  const below = rest.replace(/^\.\.\/?/, '');
  return above === '/' ? `/${below}` : below === '' ? above : `${above}/${below}`;
}

export const joinPath = (directory: string, name: string): string =>
  directory.endsWith('/') ? `${directory}${name}` : `${directory}/${name}`;
