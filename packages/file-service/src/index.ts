/** What file services have in common: what the server half of every protocol does to a storage, the naming loop, and what every storage on a disk does. */

export type { Ask } from './asked-again.ts';
export { nameAgain, namesAgain, renamedAgain } from './asked-again.ts';
export { attributesOf, permittedChange } from './attributes.ts';
export type { Reading, Writing } from './codecs.ts';
export {
  message,
  readAttempt,
  readAttributes,
  readChange,
  readCredentials,
  readFileId,
  readHow,
  readNs,
  readStored,
  writeAttempt,
  writeAttributes,
  writeChange,
  writeCredentials,
  writeFileId,
  writeHow,
  writeNs,
  writeStored,
} from './codecs.ts';
export { Descriptors } from './descriptors.ts';
export type { Asker, DomainHooks } from './domain.ts';
export { Domain } from './domain.ts';
export type { LockRequest, OpenRequest, SetRequest, TruncateRequest } from './file-codecs.ts';
export {
  aboutFile,
  bytesReply,
  lockModes,
  lockOwnerBytesMax,
  lockRequest,
  openRequest,
  setRequest,
  storedRecord,
  storedReply,
  truncateRequest,
} from './file-codecs.ts';
export { fileKey, fileOfToken, fileToken, sameFile } from './file-id.ts';
export { Findings } from './findings.ts';
export { joined } from './joined.ts';
export { Locks } from './locks.ts';
export type { Hint, Hints, Substituted } from './name-loop.ts';
export { LoopingView } from './name-loop.ts';
export type { Half } from './name-op-codecs.ts';
export { nameOpCodecs } from './name-op-codecs.ts';
export { compareBytes, nameOperation } from './name-operations.ts';
export type {
  NameProcedure,
  NameProcedures,
  NameRequest,
  TwoNameProcedure,
  TwoNameReply,
  TwoNameRequest,
} from './name-procedures.ts';
export { nameProcedures, readFrom, writeFrom } from './name-procedures.ts';
export { OpenFiles } from './open-files.ts';
export type { OpenedName } from './open-name.ts';
export { openName } from './open-name.ts';
export { OwnCalls } from './own-calls.ts';
export { isUnder, joinPath, remainderOf, tidy } from './paths.ts';
export type { Need } from './permission.ts';
export { demand, mayRemove, permits } from './permission.ts';
export type { PrefixEntry } from './prefix-table.ts';
export { PrefixTable } from './prefix-table.ts';
export type { CallAuthority, Unanswered } from './remote-names.ts';
export { callsToHosts, RemoteNames, serverOf, startOf } from './remote-names.ts';
export { ServedDomains } from './served-domains.ts';
export { Serving } from './serving.ts';
export {
  readAtPosition,
  readPosition,
  readTurn,
  writeAtPosition,
  writePosition,
  writeTurn,
} from './shared-offsets.ts';
export { chooseDisk, damaged, demandBlocks } from './storage-disk.ts';
export type { StoredFile } from './stored-file.ts';
export { attributesOfStored, changeStoredFile, checkedDevice, isTime } from './stored-file.ts';
export type { Name } from './two-names.ts';
export { twoNameOperation } from './two-names.ts';
export type { WalkFrom, WalkResult } from './walk.ts';
export { linkText, walkPath } from './walk.ts';
