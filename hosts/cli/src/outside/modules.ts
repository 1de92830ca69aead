/**
 * Loads modules that are not part of the project: TypeScript or JavaScript, on every Node that is supported, without a
 * build and without writing anything. The project's own packages are handed to them as this host has them.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, extname, relative, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import * as lab from '@backplane/lab';
import { BackplaneError, isBackplaneError } from '@backplane/slots';
import type { Jiti } from 'jiti';
import { brokenFile, noSuchExport, noSuchFile, noSuchModule, unreadableFile } from './errors.ts';

export type Exports = Readonly<Record<string, unknown>>;

/** Is this word meant as a file rather than as a name? */
export const isFileName = (word: string): boolean =>
  /^(\.{1,2}[\\/]|[\\/]|[A-Za-z]:[\\/])/.test(word) || /\.[cm]?[jt]s$/.test(word);

export class OutsideModules {
  readonly #folder: string;
  #jiti: Promise<{ readonly jiti: Jiti; readonly own: readonly string[] }> | null = null;

  /** @param folder where names of packages are looked up from */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** @throws BackplaneError when it cannot be read, or fails while it is loaded */
  async load(file: string): Promise<Exports> {
    const path = resolve(this.#folder, file);
    const source = read(file, path);
    this.#jiti ??= loader(this.#folder);
    const { jiti, own } = await this.#jiti;
    try {
      return (await jiti.evalModule(source, {
        id: path,
        filename: path,
        ext: extname(path),
        async: true,
        forceTranspile: true,
      })) as Exports;
    } catch (e) {
      throw told(file, path, e, own);
    }
  }

  /** The file that a package's name leads to. @throws BackplaneError when it leads nowhere */
  async entryOf(name: string, place: string): Promise<string> {
    this.#jiti ??= loader(this.#folder);
    const { jiti } = await this.#jiti;
    const found = jiti.esmResolve(name, { try: true, conditions: ['node', 'import'] });
    if (found === undefined)
      throw brokenFile(place, `"exports" or "main" of ${name} lead to no file.`, `npm install ${name}`);
    return found.startsWith('file:') ? fileURLToPath(found) : found;
  }
}

async function loader(folder: string): Promise<{ readonly jiti: Jiti; readonly own: readonly string[] }> {
  const { createJiti } = await import('jiti');
  const modules: Exports = { ...(await lab.hostModules()), '@backplane/lab': lab };
  const virtualModules = Object.fromEntries(
    Object.entries(modules).map(([name, exports]) => [name, strict(name, exports as object)]),
  );
  const jiti = createJiti(pathToFileURL(`${folder}/`).href, {
    fsCache: false,
    moduleCache: false,
    interopDefault: false,
    transformOptions: { retainLines: true },
    virtualModules,
  });
  return { jiti, own: Object.keys(modules) };
}

/** A misspelt import is an error where it is used, and not an undefined that fails elsewhere. */
function strict(name: string, exports: object): object {
  return new Proxy(exports, {
    get(target, key, receiver) {
      if (typeof key === 'string' && !(key in target) && !['__esModule', 'default', 'then'].includes(key))
        throw noSuchExport(name, key, Object.keys(target));
      return Reflect.get(target, key, receiver) as unknown;
    },
  });
}

function read(file: string, path: string): string {
  try {
    if (statSync(path).isDirectory()) throw unreadableFile(file, 'it is a directory.');
    return readFileSync(path, 'utf8');
  } catch (e) {
    if (isBackplaneError(e) || !(e instanceof Error)) throw e;
    if ('code' in e && e.code === 'ENOENT') throw noSuchFile(file, namesIn(dirname(path)));
    throw unreadableFile(file, e.message);
  }
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** What went wrong while a file was loaded, with the place in it. */
function told(file: string, path: string, e: unknown, own: readonly string[]): BackplaneError {
  if (isBackplaneError(e))
    return new BackplaneError(e.code, e.data, `${placeIn(file, path, e)}: ${e.message}`, e.hint);
  if (!(e instanceof Error)) return brokenFile(file, String(e), 'Mend the file.');
  const missing = /Cannot find (?:module|package) '([^']+)'/.exec(e.message)?.[1];
  if (missing !== undefined) return noSuchModule(file, shorter(missing), own);
  const parsed = /ParseError: (.*?)\s*\n\s*\S*?:(\d+):(\d+)/s.exec(e.message);
  if (parsed !== null)
    return brokenFile(`${file}:${parsed[2]}:${parsed[3]}`, `${parsed[1]}.`, 'Mend the line that is named.');
  return brokenFile(
    placeIn(file, path, e),
    e.message,
    'It failed while it was loaded: mend the line that is named.',
  );
}

const shorter = (name: string): string =>
  name.startsWith('/') ? `./${relative(process.cwd(), name)}` : name;

/** The innermost line of the file on the stack. */
function placeIn(file: string, path: string, e: Error): string {
  const line = (e.stack ?? '').split('\n').find((l) => l.includes(path));
  const at = line === undefined ? undefined : /:(\d+):\d+\)?$/.exec(line)?.[1];
  return at === undefined ? file : `${file}:${at}`;
}
