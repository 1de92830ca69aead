/**
 * The client's walk: one call to the server for each component (Sandberg 1985). The client has its own idea of names:
 * mounts, links and ".." above a root are its affair, and the server sees one name in one directory.
 *
 * The rules for links, slashes and ".." are those of a server's own walk (`@backplane/file-service`), so that a program
 * sees no difference between protocols.
 */
import { type Task, tasks } from '@backplane/engine';
import { demand, sameFile, startOf } from '@backplane/file-service';
import {
  type Credentials,
  type FileId,
  type HostId,
  isKernelError,
  KernelError,
  type NameTarget,
  pathBytesMax,
  redirectsMax,
} from '@backplane/slots';
import { utf8Length } from '@backplane/wire';
import { type ClientParts, persist } from './client-parts.ts';
import type { FileTable } from './file-table.ts';
import type { NfsFile } from './nfs-file.ts';
import { getAttributes, lookup, readLink } from './procedures.ts';

export type Elsewhere =
  | { readonly is: 'redirect'; readonly name: string; readonly prefixLength: number }
  | { readonly is: 'above'; readonly rest: string };

/** `file` is null when the last component does not exist; `name` is then what could be created in `directory`. */
export type Walked =
  | { readonly is: 'found'; readonly directory: FileId; readonly name: string; readonly file: NfsFile | null }
  | Elsewhere;

/** The directory of an entry, and what is left of the path: one component with the slashes after it. */
export type Parent =
  | { readonly is: 'found'; readonly directory: FileId; readonly tail: string; readonly name: string }
  | Elsewhere;

export class ClientWalk {
  static {
    tasks(ClientWalk);
  }

  readonly #parts: ClientParts;
  readonly #files: FileTable;

  constructor(parts: ClientParts, files: FileTable) {
    this.#parts = parts;
    this.#files = files;
  }

  /** @param follow resolve a symbolic link in the last place? A remote link there always is. */
  *object(t: NameTarget, server: HostId, path: string, who: Credentials, follow: boolean): Task<Walked> {
    if (utf8Length(path) > pathBytesMax) throw new KernelError('nameTooLong', path.slice(0, 40));
    const root = startOf(t.domainRoot);
    let directory = startOf(t.root);
    let components = this.#split(path);
    let mustBeDirectory = path.endsWith('/');
    let links = 0;
    let at = 0;
    for (;;) {
      const name = components[at];
      if (name === undefined) return yield* this.#itself(server, directory);
      const rest = components.slice(at + 1);
      const last = rest.length === 0;
      if (name === '..' && sameFile(directory, root)) return { is: 'above', rest: ['..', ...rest].join('/') };
      const file = yield* this.entry(server, directory, name, who);
      if (file === null) {
        if (last && !mustBeDirectory) return { is: 'found', directory, name, file };
        throw new KernelError('notFound', name);
      }
      const { type } = file.attributes;
      if (type === 'remoteLink' || (type === 'symlink' && (!last || follow || mustBeDirectory))) {
        if (++links > redirectsMax) throw new KernelError('nameLoop', name);
        const target = yield* persist(this.#parts, server, readLink, file.id);
        if (type === 'remoteLink' || target.startsWith('/'))
          return {
            is: 'redirect',
            name: join(target, rest, mustBeDirectory),
            prefixLength: type === 'remoteLink' ? target.length : 0,
          };
        if (target === '') throw new KernelError('notFound', name);
        if (last && target.endsWith('/')) mustBeDirectory = true;
        components = [...this.#split(target), ...rest];
        at = 0;
        continue;
      }
      if (last) {
        if (mustBeDirectory && type !== 'directory') throw new KernelError('notDirectory', name);
        return { is: 'found', directory, name, file };
      }
      if (type !== 'directory') throw new KernelError('notDirectory', rest[0] ?? name);
      directory = file.id;
      at++;
    }
  }

  /** The directory in which the last component is an entry. */
  *parent(t: NameTarget, server: HostId, who: Credentials): Task<Parent> {
    const path = t.remainder;
    if (utf8Length(path) > pathBytesMax) throw new KernelError('nameTooLong', path.slice(0, 40));
    const { head, tail, name } = this.#lastOf(path);
    if (this.#split(head).length === 0) return { is: 'found', directory: startOf(t.root), tail, name };
    const walked = yield* this.object(t, server, `${head}/`, who, true);
    if (walked.is === 'above') return { is: 'above', rest: `${walked.rest}/${tail}` };
    if (walked.is === 'redirect')
      return { ...walked, name: `${walked.name}${walked.name.endsWith('/') ? '' : '/'}${tail}` };
    if (walked.file === null) throw new KernelError('notFound', walked.name);
    return { is: 'found', directory: walked.file.id, tail, name };
  }

  /** One component; null when there is none. */
  *entry(server: HostId, directory: FileId, name: string, who: Credentials): Task<NfsFile | null> {
    const { counters, nameCache } = this.#parts;
    const known = nameCache ? yield* this.#known(server, directory) : undefined;
    if (known !== undefined) {
      const id = known.names.get(name);
      const file = id === undefined ? undefined : this.#files.get(server, id);
      if (file !== undefined) {
        demand(known.attributes, who, 'execute');
        counters.nameHits++;
        yield* file.validate();
        return file;
      }
    }
    counters.lookups++;
    try {
      const seen = yield* persist(this.#parts, server, lookup, { file: directory, name, who });
      known?.names.set(name, seen.file);
      return this.#files.seen(server, seen);
    } catch (e) {
      if (!isKernelError(e, 'notFound')) throw e;
      return null;
    }
  }

  /** The place where the path started: its attributes were not looked up. */
  *#itself(server: HostId, id: FileId): Task<Walked> {
    return { is: 'found', directory: id, name: '.', file: yield* this.#known(server, id) };
  }

  /** A file by its handle, with attributes that are trusted. */
  *#known(server: HostId, id: FileId): Task<NfsFile> {
    const file = this.#files.get(server, id);
    if (file !== undefined) {
      yield* file.validate();
      return file;
    }
    this.#parts.counters.getattrs++;
    const attributes = yield* persist(this.#parts, server, getAttributes, id);
    return this.#files.seen(server, { file: id, attributes });
  }

  #split(path: string): string[] {
    const { name: machineType } = this.#parts.machine.type;
    return path
      .split('/')
      .filter((c) => c !== '' && c !== '.')
      .map((c) => c.replaceAll('$MACHINE', machineType));
  }

  /** What comes before the last component, and the component with the slashes and dots after it. */
  #lastOf(path: string): { readonly head: string; readonly tail: string; readonly name: string } {
    const parts = path.split('/');
    let n = parts.length - 1;
    while (n >= 0 && (parts[n] === '' || parts[n] === '.')) n--;
    if (n < 0) return { head: '', tail: path, name: '.' };
    return {
      head: parts.slice(0, n).join('/'),
      tail: parts.slice(n).join('/'),
      name: this.#split(parts[n] ?? '')[0] ?? '',
    };
  }
}

function join(target: string, rest: readonly string[], slash: boolean): string {
  const path = rest.length === 0 ? target : `${target}${target.endsWith('/') ? '' : '/'}${rest.join('/')}`;
  return slash && !path.endsWith('/') ? `${path}/` : path;
}
