/** The operations on two names of one domain: rename and link. An outcome of the second walk is marked as such. */
import type { Task } from '@backplane/engine';
import {
  done,
  type FileId,
  KernelError,
  type SecondAttempt,
  type TwoNameOp,
  type WireAttempt,
} from '@backplane/slots';
import type { Asker, Domain } from './domain.ts';
import { sameFile } from './file-id.ts';
import { demandEntry, demandRemoval, existing } from './name-operations.ts';
import { demand } from './permission.ts';
import { walkPath } from './walk.ts';

/** A name: where its path starts, and the path. */
export interface Name {
  readonly start: FileId;
  readonly path: string;
}

export function* twoNameOperation(
  d: Domain,
  op: TwoNameOp,
  a: Name,
  b: Name,
  asker: Asker,
): Task<WireAttempt<null> | SecondAttempt<null>> {
  return op === 'rename' ? yield* rename(d, a, b, asker) : yield* link(d, a, b, asker);
}

function* rename(d: Domain, a: Name, b: Name, asker: Asker): Task<WireAttempt<null> | SecondAttempt<null>> {
  const first = yield* walkPath(d.storage, a.path, d.from(a.start, asker, { follow: false, entry: true }));
  if (first.is !== 'found') return first;
  const second = yield* walkPath(d.storage, b.path, d.from(b.start, asker, { follow: false, entry: true }));
  if (second.is !== 'found') return { is: 'second', of: second };
  for (const w of [first, second])
    if (w.name === '.' || w.name === '..') throw new KernelError('badArgument', w.name);
  const moved = existing(first);
  yield* demandRemoval(d, moved.parent, moved.attributes, asker);
  yield* demandEntry(d, second.parent, asker);
  if (second.file !== undefined && second.attributes !== undefined && !sameFile(second.file, moved.file))
    yield* demandRemoval(d, second.parent, second.attributes, asker);
  // The moved directory's own ".." changes with its parent.
  if (moved.attributes.type === 'directory' && !sameFile(moved.parent, second.parent))
    demand(moved.attributes, asker.who, 'write');
  const renamed = d.storage.rename(moved.parent, moved.name, second.parent, second.name);
  yield* d.unname(second.file === undefined ? [] : [second.file], renamed, ({ replaced }) => replaced);
  return done(null);
}

function* link(d: Domain, a: Name, b: Name, asker: Asker): Task<WireAttempt<null> | SecondAttempt<null>> {
  const first = yield* walkPath(d.storage, a.path, d.from(a.start, asker, { follow: true, entry: false }));
  if (first.is !== 'found') return first;
  const linked = existing(first);
  const second = yield* walkPath(d.storage, b.path, d.from(b.start, asker, { follow: false, entry: true }));
  if (second.is !== 'found') return { is: 'second', of: second };
  if (second.file !== undefined) throw new KernelError('exists', second.name);
  if (linked.attributes.type === 'directory')
    throw new KernelError('notOwner', 'a second link to a directory');
  yield* demandEntry(d, second.parent, asker);
  yield* d.storage.link(second.parent, second.name, linked.file);
  return done(null);
}
