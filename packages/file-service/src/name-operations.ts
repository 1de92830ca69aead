/**
 * The operations on one name, as every server half does them: walk, check permission, change the storage. Outcomes
 * other than an error are what a server may answer to naming: done, redirect, above.
 *
 * Modes of new objects have the umask taken off already. A new object gets the group of its directory, as in 4.3BSD.
 */
import { charge, type Task } from '@backplane/engine';
import {
  type Attributes,
  Busy,
  type DirectoryEntry,
  done,
  type FileId,
  KernelError,
  type NameOps,
  type StoredAttributes,
  type Token,
  type WireAttempt,
} from '@backplane/slots';
import { utf8Length } from '@backplane/wire';
import { attributesOf, permittedChange } from './attributes.ts';
import type { Asker, Domain } from './domain.ts';
import { fileToken } from './file-id.ts';
import { demand, mayRemove } from './permission.ts';
import { linkText, type WalkResult, walkPath } from './walk.ts';

type Found = Extract<WalkResult, { readonly is: 'found' }>;
/** An object that is there. */
interface Existing {
  readonly parent: FileId;
  readonly name: string;
  readonly file: FileId;
  readonly attributes: StoredAttributes;
}
type Outcome<T> = WireAttempt<T>;

export function* nameOperation<K extends keyof NameOps>(
  domain: Domain,
  op: K,
  argument: NameOps[K]['in'],
  start: FileId,
  remainder: string,
  asker: Asker,
): Task<WireAttempt<NameOps[K]['out']>> {
  // One table from operation to routine: the argument belongs to the operation by the type of this function.
  const routine = operations[op] as (
    d: Domain,
    argument: NameOps[K]['in'],
    start: FileId,
    remainder: string,
    asker: Asker,
  ) => Task<Outcome<NameOps[K]['out']>>;
  return yield* routine(domain, argument, start, remainder, asker);
}

type Routines = {
  readonly [K in keyof NameOps]: (
    d: Domain,
    argument: NameOps[K]['in'],
    start: FileId,
    remainder: string,
    asker: Asker,
  ) => Task<Outcome<NameOps[K]['out']>>;
};

const operations: Routines = {
  *stat(d, { follow }, start, path, asker) {
    const w = yield* walkPath(d.storage, path, d.from(start, asker, { follow, entry: false }));
    if (w.is !== 'found') return w;
    const { file } = existing(w);
    charge(d.machine.type.costs.attributesNs, Busy.files);
    return done<Attributes>(attributesOf(d.machine.host, file, yield* d.fresh(file, asker.host)));
  },

  *access(d, need, start, path, asker) {
    const w = yield* walkPath(d.storage, path, d.from(start, asker, { follow: true, entry: false }));
    if (w.is !== 'found') return w;
    const { attributes } = existing(w);
    for (const n of ['read', 'write', 'execute'] as const) if (need[n]) demand(attributes, asker.who, n);
    return done(null);
  },

  *unlink(d, _, start, path, asker) {
    const w = yield* walkPath(d.storage, path, d.from(start, asker, { follow: false, entry: true }));
    if (w.is !== 'found') return w;
    const { parent, name, file, attributes } = existing(w);
    yield* demandRemoval(d, parent, attributes, asker);
    if (attributes.type === 'directory') throw new KernelError('isDirectory', name);
    yield* d.unname([file], d.storage.unlink(parent, name, { directory: false }), (gone) => gone);
    return done(null);
  },

  *makeDirectory(d, { mode }, start, path, asker) {
    const w = yield* walkPath(d.storage, path, d.from(start, asker, { follow: false, entry: true }));
    if (w.is !== 'found') return w;
    if (w.file !== undefined) throw new KernelError('exists', w.name);
    const parent = yield* demandEntry(d, w.parent, asker);
    yield* d.storage.create(w.parent, w.name, {
      type: 'directory',
      mode,
      uid: asker.who.uid,
      gid: parent.gid,
    });
    return done(null);
  },

  *removeDirectory(d, _, start, path, asker) {
    const last = path
      .split('/')
      .filter((c) => c !== '')
      .at(-1);
    if (last === '.') throw new KernelError('badArgument', path);
    const w = yield* walkPath(d.storage, path, d.from(start, asker, { follow: false, entry: true }));
    if (w.is !== 'found') return w;
    const { parent, name, file, attributes } = existing(w);
    if (attributes.type !== 'directory') throw new KernelError('notDirectory', name);
    if (name === '.') throw new KernelError('busy', 'the root of a domain');
    if (name === '..') throw new KernelError('notEmpty', name);
    yield* demandRemoval(d, parent, attributes, asker);
    yield* d.unname([file], d.storage.unlink(parent, name, { directory: true }), (gone) => gone);
    return done(null);
  },

  *makeLink(d, { target, remote }, start, path, asker) {
    const w = yield* walkPath(d.storage, path, d.from(start, asker, { follow: false, entry: true }));
    if (w.is !== 'found') return w;
    if (w.file !== undefined) throw new KernelError('exists', w.name);
    if (target === '') throw new KernelError('notFound', 'an empty link');
    const parent = yield* demandEntry(d, w.parent, asker);
    yield* d.storage.create(w.parent, w.name, {
      type: remote ? 'remoteLink' : 'symlink',
      mode: 0o777,
      uid: asker.who.uid,
      gid: parent.gid,
      target,
    });
    return done(null);
  },

  *readLink(d, _, start, path, asker) {
    const w = yield* walkPath(d.storage, path, d.from(start, asker, { follow: false, entry: false }));
    if (w.is !== 'found') return w;
    const { file, attributes } = existing(w);
    if (attributes.type !== 'symlink') throw new KernelError('badArgument', 'not a symbolic link');
    return done(linkText(yield* d.storage.read(file, 0, attributes.sizeBytes)));
  },

  *setAttributes(d, { change, follow }, start, path, asker) {
    const w = yield* walkPath(d.storage, path, d.from(start, asker, { follow, entry: false }));
    if (w.is !== 'found') return w;
    const { file, attributes } = existing(w);
    charge(d.machine.type.costs.attributesNs, Busy.files);
    const made = permittedChange(change, attributes, asker.who, d.nowNs);
    yield* d.storage.setAttributes(file, made);
    d.hooks.changed?.(file, made);
    return done(null);
  },

  *entries(d, { after }, start, path, asker) {
    const w = yield* walkPath(d.storage, path, d.from(start, asker, { follow: true, entry: false }));
    if (w.is !== 'found') return w;
    const { file, attributes } = existing(w);
    if (attributes.type !== 'directory') throw new KernelError('notDirectory');
    demand(attributes, asker.who, 'read');
    return done(page(yield* d.storage.entries(file), after));
  },

  *enter(d, _, start, path, asker) {
    const w = yield* walkPath(d.storage, path, d.from(start, asker, { follow: true, entry: false }));
    if (w.is !== 'found') return w;
    const { file, attributes } = existing(w);
    if (attributes.type !== 'directory') throw new KernelError('notDirectory');
    demand(attributes, asker.who, 'execute');
    return done<Token>(fileToken(file));
  },
};

/** Bytes of names in one answer: what fits the smallest data area of our transports with room to spare. */
const pageBytesMax = 4096;

/** The entries after a name. The order is that of the bytes of UTF-8, as the storage sorts them. */
function page(
  entries: readonly DirectoryEntry[],
  after: string,
): { readonly names: readonly string[]; readonly complete: boolean } {
  const names: string[] = [];
  let bytes = 0;
  let from = after === '' ? 0 : entries.findIndex((e) => compareBytes(e.name, after) > 0);
  if (from < 0) from = entries.length;
  for (let i = from; i < entries.length; i++) {
    const name = entries[i]?.name ?? '';
    bytes += 8 + utf8Length(name);
    if (bytes > pageBytesMax) return { names, complete: false };
    names.push(name);
  }
  return { names, complete: true };
}

/** Compares two names by the bytes of their UTF-8, which is the order of their code points. */
export function compareBytes(a: string, b: string): number {
  const common = Math.min(a.length, b.length);
  for (let i = 0; i < common; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return rank(x) - rank(y);
  }
  return a.length - b.length;
}

/** Of a unit of UTF-16: surrogates stand for code points above all that have a unit to themselves. */
const rank = (unit: number): number => (unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit);

/** @throws KernelError `notFound` when the last component does not exist */
export function existing(w: Found): Existing {
  if (w.file === undefined || w.attributes === undefined) throw new KernelError('notFound', w.name);
  return { parent: w.parent, name: w.name, file: w.file, attributes: w.attributes };
}

/** May the caller add an entry to this directory? Returns the directory's attributes. */
export function* demandEntry(d: Domain, directory: FileId, asker: Asker): Task<StoredAttributes> {
  const attributes = yield* d.storage.attributes(directory);
  if (attributes.links === 0) throw new KernelError('notFound', 'a directory that was removed');
  demand(attributes, asker.who, 'write');
  return attributes;
}

/** May the caller take this entry away? */
export function* demandRemoval(
  d: Domain,
  directory: FileId,
  entry: StoredAttributes,
  asker: Asker,
): Task<void> {
  const attributes = yield* demandEntry(d, directory, asker);
  if (!mayRemove(attributes, entry, asker.who))
    throw new KernelError('permission', 'somebody else’s entry in a sticky directory');
}
