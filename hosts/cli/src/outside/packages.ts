/** Packages as npm lays them out: in the `node_modules` of a folder and of those above it, the nearest first. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { componentKeyword } from './manifest.ts';

function* modulesFolders(from: string): Generator<string> {
  for (let folder = from; ; folder = dirname(folder)) {
    const modules = join(folder, 'node_modules');
    if (existsSync(modules)) yield modules;
    if (dirname(folder) === folder) return;
  }
}

/** The folder of a package by name, or undefined. */
export function findPackage(from: string, name: string): string | undefined {
  if (!/^(@[\w.-]+\/)?[\w.-]+$/.test(name)) return undefined;
  for (const modules of modulesFolders(from))
    if (existsSync(join(modules, name, 'package.json'))) return join(modules, name);
  return undefined;
}

/** Folders of the packages that say they are components, by name. */
export function componentPackages(from: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const modules of modulesFolders(from))
    for (const name of namesIn(modules))
      if (!found.has(name) && hasKeyword(join(modules, name))) found.set(name, join(modules, name));
  return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
}

const namesIn = (modules: string): readonly string[] =>
  readdirSync(modules)
    .filter((name) => !name.startsWith('.'))
    .flatMap((name) =>
      name.startsWith('@') ? readdirSync(join(modules, name)).map((inner) => `${name}/${inner}`) : [name],
    );

/** A manifest that is no JSON is no component's either: npm itself would not have installed it. */
function hasKeyword(folder: string): boolean {
  try {
    const { keywords } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
      readonly keywords?: unknown;
    };
    return Array.isArray(keywords) && keywords.includes(componentKeyword);
  } catch {
    return false;
  }
}
