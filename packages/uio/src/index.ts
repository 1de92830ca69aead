/** V's uniform I/O, as clients and servers of every kind of object share it: operations as messages, instances, stubs. */

// Who asks
export { type Asker, asker, callProcedure } from './asker.ts';
// Messages
export {
  attributeBits,
  demandAttribute,
  has,
  UioAttribute,
  type UioAttributeName,
} from './attributes.ts';
export { ByteStream, endOfStream, type StreamCosts } from './byte-stream.ts';
// Pages that hosts keep
export {
  directoryFound,
  fileOfKey,
  findDirectory,
  keyOfFile,
  type NamedFile,
  openCached,
  pagesServerIn,
  reopenCached,
  toFindDirectory,
} from './cached-files.ts';
export { FileClient, type FileClientParts } from './file-client.ts';
export {
  blockBytes,
  descriptionOf,
  lockFile,
  modifyObject,
  names,
  type OpenedFile,
  openFile,
  pollFunction,
  queryObject,
  reopenFile,
  syncFunction,
} from './file-operations.ts';
export { Instance, type InstanceOptions, type Wandering } from './instance.ts';
// Who answers
export { Instances, type ServedInstance } from './instances.ts';
export { failure, failureOf, instanceOf, packed, unpacked } from './messages.ts';
export {
  type FileHandedOver,
  followFile,
  handOverFile,
  handOverFiles,
  type InstancePlace,
  takeFile,
  writeBackFiles,
} from './moving-files.ts';
export {
  atEnd,
  type BlockLockMode,
  type BlockPosition,
  type BlockRange,
  CreateMode,
  type CreateRequest,
  controlInstance,
  createInstance,
  described,
  describing,
  type InstanceDescription,
  lockInstance,
  modifyInstance,
  offsetOf,
  positionOf,
  queryInstance,
  type ReleaseMode,
  readAt,
  readGot,
  readInstance,
  readResponse,
  releaseInstance,
  setInstanceOwner,
  type ToCreate,
  toControl,
  toCreate,
  toLock,
  toModify,
  toQuery,
  toRead,
  toRelease,
  toSetOwner,
  toWrite,
  transferBytesMax,
  unitBytes,
  writeDone,
  writeInstance,
  writeResponse,
} from './operations.ts';
export {
  type Attaching,
  attachingIn,
  granted,
  granting,
  howIn,
  leaseNs,
  Ownership,
  type PageGrant,
  PageHeld,
  pageIn,
  sizeIn,
  toAcquireOwned,
  toAcquireShared,
  toAttach,
  toExtend,
  toRenew,
  toResize,
  toTakePage,
  toWriteBack,
  versionIn,
  WriteBack,
} from './ownership.ts';
export { isGone, lookAgainNs, reach } from './reach.ts';
export { Senders } from './senders.ts';
export { ServedObjects, type ServedObjectsOptions } from './served-objects.ts';
export { ServedOperations } from './served-operations.ts';
export type { ServerModel } from './serving-process.ts';
export { Snapshot } from './snapshot.ts';
export type { UioObject } from './uio-object.ts';
