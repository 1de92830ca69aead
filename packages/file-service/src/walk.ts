/**
 * Walking a path on one storage: components, ".", "..", symbolic links, remote links, `$MACHINE`, permission to
 * search. Every server half needs just this.
 *
 * Rules (Welch 1990, chapter 4): an absolute symbolic link leaves the server, as a redirect without a prefix; a remote
 * link leaves it as a redirect whose target is a prefix; ".." at the domain's root leaves it upwards. Permissions
 * above the start are not checked. `$MACHINE` in a component stands for the asking client's machine type.
 */
import type { Task } from '@backplane/engine';
import {
  type Credentials,
  componentBytesMax,
  type FileId,
  KernelError,
  pathBytesMax,
  redirectsMax,
  type Storage,
  type StoredAttributes,
} from '@backplane/slots';
import { decodeUtf8, utf8Length } from '@backplane/wire';
import { sameFile } from './file-id.ts';
import { permits } from './permission.ts';

export interface WalkFrom {
  /** The domain's root, above which ".." does not climb. */
  readonly root: FileId;
  /** Where the path starts: the root, or a working directory. */
  readonly start: FileId;
  readonly who: Credentials;
  /** The client's machine type. */
  readonly machineType: string;
  /** Resolve a symbolic link in the last place? A remote link in the last place is always followed, except for `entry`. */
  readonly follow: boolean;
  /** Stop at the parent: the last component is about an entry, which may not exist. */
  readonly entry: boolean;
  /** Called for each component looked up, to charge it. */
  readonly component?: () => void;
}

export type WalkResult =
  /** `file` is undefined when the last component does not exist; `name` is then what could be created in `parent`. */
  | {
      readonly is: 'found';
      readonly parent: FileId;
      readonly name: string;
      readonly file: FileId | undefined;
      readonly attributes: StoredAttributes | undefined;
    }
  | { readonly is: 'redirect'; readonly name: string; readonly prefixLength: number }
  | { readonly is: 'above'; readonly rest: string };

/**
 * @throws KernelError `notFound` (a missing directory on the way), `notDirectory`, `permission`, `nameLoop`, `nameTooLong`
 */
export function* walkPath(storage: Storage, path: string, from: WalkFrom): Task<WalkResult> {
  if (utf8Length(path) > pathBytesMax) throw new KernelError('nameTooLong', path.slice(0, 40));
  let components = split(path, from.machineType);
  let mustBeDirectory = path.endsWith('/');
  let directory = from.start;
  let attributes = yield* storage.attributes(directory);
  let links = 0;
  let at = 0;

  if (components.length === 0)
    return { is: 'found', parent: directory, name: '.', file: directory, attributes };

  for (;;) {
    const name = components[at];
    if (name === undefined) throw new KernelError('notFound');
    const last = at === components.length - 1;
    if (attributes.type !== 'directory') throw new KernelError('notDirectory', name);
    if (!permits(attributes, from.who, 'execute')) throw new KernelError('permission', name);
    if (utf8Length(name) > componentBytesMax) throw new KernelError('nameTooLong', name.slice(0, 40));
    if (name === '..' && sameFile(directory, from.root))
      return { is: 'above', rest: ['..', ...components.slice(at + 1)].join('/') };

    from.component?.();
    const file = yield* storage.lookup(directory, name);
    if (file === undefined) {
      if (last && !(mustBeDirectory && !from.entry))
        return { is: 'found', parent: directory, name, file: undefined, attributes: undefined };
      throw new KernelError('notFound', name);
    }
    const found = yield* storage.attributes(file);
    const resolve = !last || (!from.entry && (from.follow || mustBeDirectory || found.type === 'remoteLink'));
    if (resolve && (found.type === 'symlink' || found.type === 'remoteLink')) {
      if (++links > redirectsMax) throw new KernelError('nameLoop', name);
      const target = linkText(yield* storage.read(file, 0, found.sizeBytes));
      const rest = components.slice(at + 1);
      if (found.type === 'remoteLink')
        return { is: 'redirect', name: join(target, rest, mustBeDirectory), prefixLength: target.length };
      if (target.startsWith('/'))
        return { is: 'redirect', name: join(target, rest, mustBeDirectory), prefixLength: 0 };
      if (target === '') throw new KernelError('notFound', name);
      if (rest.length === 0 && target.endsWith('/')) mustBeDirectory = true;
      components = [...split(target, from.machineType), ...rest];
      at = 0;
      if (components.length === 0)
        return { is: 'found', parent: directory, name: '.', file: directory, attributes };
      continue;
    }
    if (last) {
      if (mustBeDirectory && found.type !== 'directory') throw new KernelError('notDirectory', name);
      return { is: 'found', parent: directory, name, file, attributes: found };
    }
    directory = file;
    attributes = found;
    at++;
  }
}

function split(path: string, machineType: string): string[] {
  const components: string[] = [];
  for (const c of path.split('/'))
    if (c !== '' && c !== '.') components.push(c.includes('$') ? c.replaceAll('$MACHINE', machineType) : c);
  return components;
}

function join(target: string, rest: readonly string[], slash: boolean): string {
  const path = rest.length === 0 ? target : `${target}${target.endsWith('/') ? '' : '/'}${rest.join('/')}`;
  return slash && !path.endsWith('/') ? `${path}/` : path;
}

/** A link's content as text; what follows a zero byte, which the original stored, is not part of it. */
export function linkText(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return decodeUtf8(end < 0 ? bytes : bytes.subarray(0, end));
}
