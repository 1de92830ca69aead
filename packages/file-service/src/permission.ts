/** The permission bits of 4.3BSD: one class of bits applies, the first that fits. Uid 0 may do everything but execute a file that nobody may. */
import { type Credentials, KernelError, type StoredAttributes } from '@backplane/slots';

export type Need = 'read' | 'write' | 'execute';
const bit: { readonly [K in Need]: number } = { read: 4, write: 2, execute: 1 };

export function permits(
  a: Pick<StoredAttributes, 'mode' | 'uid' | 'gid' | 'type'>,
  who: Credentials,
  need: Need,
): boolean {
  if (who.uid === 0) return need !== 'execute' || a.type === 'directory' || (a.mode & 0o111) !== 0;
  const shift = a.uid === who.uid ? 6 : a.gid === who.gid || who.groups.includes(a.gid) ? 3 : 0;
  return ((a.mode >> shift) & bit[need]) !== 0;
}

/** In a directory with the sticky bit only the owner of the entry or of the directory takes an entry away. */
export function mayRemove(
  directory: Pick<StoredAttributes, 'mode' | 'uid'>,
  entry: Pick<StoredAttributes, 'uid'>,
  who: Credentials,
): boolean {
  return (
    (directory.mode & 0o1000) === 0 || who.uid === 0 || who.uid === entry.uid || who.uid === directory.uid
  );
}

/** @throws KernelError `permission` unless the caller has it */
export function demand(
  a: Pick<StoredAttributes, 'mode' | 'uid' | 'gid' | 'type'>,
  who: Credentials,
  need: Need,
): void {
  if (!permits(a, who, need)) throw new KernelError('permission', need);
}
