import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../..', import.meta.url));

interface PublishedPackage {
  /** Relative to the root: `packages/engine`. */
  readonly folder: string;
  readonly path: string;
  /** Whether a program can import it; a package that is only a command cannot show a program. */
  readonly importable: boolean;
  readonly readme: string | undefined;
}

interface Manifest {
  readonly private?: boolean;
  readonly exports?: Readonly<Record<string, unknown>>;
}

export function publishedPackages(): PublishedPackage[] {
  return ['packages', 'hosts'].flatMap((floor) =>
    (existsSync(join(root, floor)) ? readdirSync(join(root, floor)).sort() : []).flatMap((name) => {
      const path = join(root, floor, name);
      if (!existsSync(join(path, 'package.json'))) return [];
      const manifest = JSON.parse(readFileSync(join(path, 'package.json'), 'utf8')) as Manifest;
      if (manifest.private === true) return [];
      const readmePath = join(path, 'README.md');
      const readme = existsSync(readmePath) ? readFileSync(readmePath, 'utf8') : undefined;
      return [
        { folder: `${floor}/${name}`, path, importable: manifest.exports?.['.'] !== undefined, readme },
      ];
    }),
  );
}
