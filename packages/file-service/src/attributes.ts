/** From what a storage keeps to what programs see, and who may change what. */
import {
  type AttributeChange,
  type Attributes,
  type Credentials,
  type FileId,
  KernelError,
  type StoredAttributes,
} from '@backplane/slots';
import { fileKey } from './file-id.ts';

/** @param server distinguishes the domains of different servers in `identity` */
export function attributesOf(server: number, f: FileId, a: StoredAttributes): Attributes {
  return {
    type: a.type,
    sizeBytes: a.sizeBytes,
    links: a.links,
    mode: a.mode,
    uid: a.uid,
    gid: a.gid,
    version: a.version,
    modifyNs: a.modifyNs,
    changeNs: a.changeNs,
    accessNs: a.accessNs,
    identity: `${server}:${fileKey(f)}`,
  };
}

/**
 * The change that is really made for this caller: chmod and utimes are the owner's, chown the super user's, chgrp the
 * owner's within his groups; a new owner or group clears the set-id bits of what is not a directory.
 *
 * @throws KernelError `notOwner`
 */
export function permittedChange(
  change: AttributeChange,
  a: StoredAttributes,
  who: Credentials,
  nowNs: number,
): AttributeChange {
  const root = who.uid === 0;
  if (!root && who.uid !== a.uid) throw new KernelError('notOwner');
  if (!root && change.uid !== undefined && change.uid !== a.uid) throw new KernelError('notOwner');
  if (!root && change.gid !== undefined && change.gid !== who.gid && !who.groups.includes(change.gid))
    throw new KernelError('notOwner');
  const owned = change.uid !== undefined || change.gid !== undefined;
  const mode =
    change.mode ??
    (owned && a.type !== 'directory' && (a.mode & 0o6000) !== 0 ? a.mode & ~0o6000 : undefined);
  return { ...change, ...(mode !== undefined && { mode: mode & 0o7777 }), changeNs: nowNs };
}
