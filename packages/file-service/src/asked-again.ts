/**
 * Operations on names that are asked again of a server that fell silent over them. It may have done them before it crashed,
 * and a log of what it has answered would not outlive that. So an error is looked into that the operation itself would
 * bring about if it were done twice: when everything is as it would have left it, it is done.
 *
 *   operation          error      is done when
 *   unlink, rmdir      notFound   at once
 *   mkdir              exists     a directory has the name
 *   symbolic link      exists     such a link has the name, with the same text
 *   rename             notFound   the second name is there
 *   rename             none       the first name is gone: a crash may have cut it in two, and to a file of both names it is
 *                                 nothing to do; so the first is removed
 *   link               exists     both names are of one file
 *
 * Who relies on one of two hosts being refused (a directory as a lock) is not safe from a crash in between; a link is. An
 * exclusive open is not looked into: it may be refused because of its own file.
 */
import type { Task } from '@backplane/engine';
import {
  type Attempt,
  type Attributes,
  done,
  isKernelError,
  type NameOps,
  type NameTarget,
  type TwoNameOp,
} from '@backplane/slots';

/** An operation on one name that helps to find out, or to end what was begun. */
export type Ask = <K extends 'stat' | 'readLink' | 'unlink'>(
  t: NameTarget,
  op: K,
  argument: NameOps[K]['in'],
) => Task<Attempt<NameOps[K]['out']>>;

/** @throws the error, when the operation has not been done */
export function* nameAgain<K extends keyof NameOps>(
  op: K,
  argument: NameOps[K]['in'],
  t: NameTarget,
  error: unknown,
  ask: Ask,
): Task<Attempt<NameOps[K]['out']>> {
  // An operation that has this argument; those that are looked into have no result.
  const asked = [op, argument] as OneName;
  return (yield* oneAgain(asked, t, error, ask)) as Attempt<NameOps[K]['out']>;
}

type OneName = { readonly [K in keyof NameOps]: readonly [K, NameOps[K]['in']] }[keyof NameOps];

function* oneAgain([op, argument]: OneName, t: NameTarget, error: unknown, ask: Ask): Task<Attempt<null>> {
  if ((op === 'unlink' || op === 'removeDirectory') && isKernelError(error, 'notFound')) return done(null);
  if ((op !== 'makeDirectory' && op !== 'makeLink') || !isKernelError(error, 'exists')) throw error;
  const there = yield* ask(t, 'stat', { follow: false });
  if (there.is !== 'done') return there;
  const { type } = there.value;
  if (op === 'makeDirectory') {
    if (type !== 'directory') throw error;
    return done(null);
  }
  if (type !== (argument.remote ? 'remoteLink' : 'symlink')) throw error;
  // The text of a remote link is not for reading.
  if (argument.remote) return done(null);
  const text = yield* ask(t, 'readLink', {});
  if (text.is !== 'done') return text;
  if (text.value !== argument.target) throw error;
  return done(null);
}

/** @throws the error, when the operation has not been done */
export function* namesAgain(
  op: TwoNameOp,
  a: NameTarget,
  b: NameTarget,
  error: unknown,
  ask: Ask,
): Task<Attempt<null>> {
  if (!isKernelError(error, op === 'rename' ? 'notFound' : 'exists')) throw error;
  const second = yield* ask(b, 'stat', { follow: false });
  if (second.is !== 'done') return second;
  if (op === 'rename') return done(null);
  const first = yield* ask(a, 'stat', { follow: true });
  if (first.is !== 'done') return first;
  if (!sameObject(first.value, second.value)) throw error;
  return done(null);
}

/** A rename that was asked again, and is done. */
export function* renamedAgain(a: NameTarget, b: NameTarget, ask: Ask): Task<Attempt<null>> {
  try {
    const first = yield* ask(a, 'stat', { follow: false });
    if (first.is !== 'done') return first;
    const second = yield* ask(b, 'stat', { follow: false });
    if (second.is !== 'done') return second;
    if (first.value.type === 'directory' || !sameObject(first.value, second.value)) return done(null);
    return yield* ask(a, 'unlink', {});
  } catch (e) {
    if (isKernelError(e, 'notFound')) return done(null);
    throw e;
  }
}

const sameObject = (a: Attributes, b: Attributes): boolean => a.identity === b.identity;
