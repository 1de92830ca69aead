/**
 * The name half of an open: walk, create if asked, check permission. What follows (who may cache, truncation, counts)
 * is the protocol's own.
 */
import { charge, type Task } from '@backplane/engine';
import {
  Busy,
  done,
  type FileId,
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

/** @throws KernelError `notFound`, `exists`, `isDirectory`, `permission`, and what the walk throws */
export function* openName(
  d: Domain,
  how: OpenHow,
  start: FileId,
  path: string,
  asker: Asker,
): Task<WireAttempt<OpenedName>> {
  const exclusive = how.create === true && how.exclusive === true;
  const w = yield* walkPath(d.storage, path, d.from(start, asker, { follow: !exclusive, entry: false }));
  if (w.is !== 'found') return w;
  if (w.file === undefined && how.create === true) {
    const parent = yield* demandEntry(d, w.parent, asker);
    const file = yield* d.storage.create(w.parent, w.name, {
      type: 'file',
      mode: (how.mode ?? 0o666) & 0o7777,
      uid: asker.who.uid,
      gid: parent.gid,
    });
    return opened(d, { file, attributes: yield* d.storage.attributes(file), created: true });
  }
  const { file, attributes } = existing(w);
  if (exclusive) throw new KernelError('exists', w.name);
  if (attributes.type === 'directory' && (how.write === true || how.create === true || how.truncate === true))
    throw new KernelError('isDirectory', w.name);
  if (attributes.type === 'symlink') throw new KernelError('nameLoop', w.name);
  if (how.read === true) demand(attributes, asker.who, 'read');
  if (how.write === true || how.truncate === true) demand(attributes, asker.who, 'write');
  if (how.execute === true) {
    if (attributes.type !== 'file') throw new KernelError('permission', w.name);
    demand(attributes, asker.who, 'execute');
  }
  return opened(d, { file, attributes, created: false });
}

/** What an open file costs its server is not charged for a name that is not there. */
function opened(d: Domain, o: OpenedName): WireAttempt<OpenedName> {
  charge(d.machine.type.costs.openServerNs, Busy.files);
  return done(o);
}
