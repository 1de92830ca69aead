/**
 * The name half of an open: walk, create if asked, check permission. What follows (who may cache, truncation, counts)
 * is the protocol's own.
 */
import { charge, type Task } from '@backplane/engine';
import {
  Busy,
  done,
  type FileId,
  isKernelError,
  KernelError,
  type OpenHow,
  type StoredAttributes,
  type WireAttempt,
} from '@backplane/slots';
import type { Asker, Domain } from './domain.ts';
import { demandEntry, existing } from './name-operations.ts';
import { demand } from './permission.ts';
import { walkPath } from './walk.ts';

export interface OpenedName {
  readonly file: FileId;
  readonly attributes: StoredAttributes;
  readonly created: boolean;
}

/**
 * Of threads that create one name at once, one makes the file and the others open it: between the walk, which finds no such
 * name, and the creation another thread may have made it, and `exists` then says no more than that the walk is out of date.
 *
 * @throws KernelError `notFound`, `exists`, `isDirectory`, `permission`, and what the walk throws
 */
export function* openName(
  d: Domain,
  how: OpenHow,
  start: FileId,
  path: string,
  asker: Asker,
): Task<WireAttempt<OpenedName>> {
  const exclusive = how.create === true && how.exclusive === true;
  for (;;) {
    const w = yield* walkPath(d.storage, path, d.from(start, asker, { follow: !exclusive, entry: false }));
    if (w.is !== 'found') return w;
    if (w.file !== undefined || how.create !== true) return openExisting(d, how, existing(w), asker);
    try {
      return yield* openNew(d, how, w, asker);
    } catch (e) {
      if (exclusive || !isKernelError(e, 'exists')) throw e;
    }
  }
}

function* openNew(
  d: Domain,
  { mode = 0o666 }: OpenHow,
  { parent, name }: { readonly parent: FileId; readonly name: string },
  asker: Asker,
): Task<WireAttempt<OpenedName>> {
  const { gid } = yield* demandEntry(d, parent, asker);
  const file = yield* d.storage.create(parent, name, {
    type: 'file',
    mode: mode & 0o7777,
    uid: asker.who.uid,
    gid,
  });
  return opened(d, { file, attributes: yield* d.storage.attributes(file), created: true });
}

function openExisting(
  d: Domain,
  how: OpenHow,
  { name, file, attributes }: ReturnType<typeof existing>,
  asker: Asker,
): WireAttempt<OpenedName> {
  if (how.create === true && how.exclusive === true) throw new KernelError('exists', name);
  if (attributes.type === 'directory' && (how.write === true || how.create === true || how.truncate === true))
    throw new KernelError('isDirectory', name);
  if (attributes.type === 'symlink') throw new KernelError('nameLoop', name);
  if (how.read === true) demand(attributes, asker.who, 'read');
  if (how.write === true || how.truncate === true) demand(attributes, asker.who, 'write');
  if (how.execute === true) {
    if (attributes.type !== 'file') throw new KernelError('permission', name);
    demand(attributes, asker.who, 'execute');
  }
  return opened(d, { file, attributes, created: false });
}

/** What an open file costs its server is not charged for a name that is not there. */
function opened(d: Domain, o: OpenedName): WireAttempt<OpenedName> {
  charge(d.machine.type.costs.openServerNs, Busy.files);
  return done(o);
}
