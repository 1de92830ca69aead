/** The contracts between boards: words, errors, the machine, one file for each slot, and how a board is declared. */

export type {
  AddressSpace,
  Mapping,
  ObjectInstance,
  ObjectPages,
  PagedObject,
  PageSource,
  Region,
  Vm,
  WriteWatch,
} from './address-space.ts';
export type { Datagram, Internet, Locator } from './addresses.ts';
export { internetAddress, internetHost } from './addresses.ts';
export { assert, BackplaneError, isBackplaneError, nearest } from './backplane-error.ts';
export type { Aside, Backing, BlockCache, CachedObject, ObjectOptions, WriteDelay } from './block-cache.ts';
export { chooseInterface } from './choose-interface.ts';
export type { CleaningPolicy, LiveBlock, SegmentState } from './cleaner.ts';
export type {
  Board,
  Component,
  ComponentDefinition,
  Granted,
  OptionsSchema,
  Place,
  PlaceOf,
  Requirement,
  Served,
} from './component.ts';
export { defineComponent } from './component.ts';
export type { Disk, DiskExtent, DiskRule } from './disk.ts';
export type { DiskImage, DumpedRecord, Finding, StoreFormat } from './disk-image.ts';
export type {
  ArrivedRequest,
  Delivery,
  EntityId,
  EntityMoves,
  EntityService,
  EntityTransport,
  Message,
  MessagePriority,
  Probed,
  Response,
  SendOptions,
} from './entities.ts';
export {
  controlBytes,
  entityId,
  highWord,
  isGroup,
  lowWord,
  MessageFlag,
  noEntity,
  normalPriority,
  ReplyCode,
  segmentBytesMax,
} from './entities.ts';
export type { CostEvidence, CostSource, NotedCost } from './evidence.ts';
export { exact, fitted, prior, stated } from './evidence.ts';
export type { StationAddress } from './frame.ts';
export { broadcastAddress, Frame, isGroupAddress } from './frame.ts';
export type {
  Ipc,
  IpcProcess,
  MessageProcedure,
  MovingProcess,
  ProcessDescription,
  ProcessSendOptions,
  Received,
  SegmentGrant,
} from './ipc.ts';
export { grantBit } from './ipc.ts';
export { joinedRegions } from './joined-regions.ts';
export type { Kernel, KernelSpec } from './kernel.ts';
export { defineKernel, slotOfInstance } from './kernel.ts';
export type { KernelErrorKind } from './kernel-error.ts';
export {
  isKernelError,
  KernelError,
  kernelErrorFrom,
  kernelErrorKinds,
  kernelErrorNumber,
} from './kernel-error.ts';
export type {
  BusyCategory,
  Machine,
  MachineCosts,
  MachineType,
  Metrics,
} from './machine.ts';
export { Busy, busyCategories, defineMachineType } from './machine.ts';
export type { FrameHolder, Memory, MemoryPolicy, PageFrame } from './memory.ts';
export type { MessageFields } from './message.ts';
export { codeOf, entityIn, entityWords, flagsOf, message, wordOf } from './message.ts';

export type {
  About,
  Attempt,
  Export,
  Gone,
  NameTarget,
  NameView,
  Naming,
  SecondAttempt,
  Unreachable,
  WireAttempt,
} from './naming.ts';
export { above, componentBytesMax, done, pathBytesMax, redirect, redirectsMax, staleName } from './naming.ts';
export type { NativeSelf, Natives, NativeText } from './native.ts';
export { NumberTable, natives } from './native.ts';
export type { Attachment, LinkRule, LinkVerdict, Medium, Nic, Station } from './network.ts';
export type { KeptLabel, Nvram } from './nvram.ts';
export { nvramWordsMax } from './nvram.ts';
export type { Processors, Scheduler, Work } from './processors.ts';
export type { Recovery, RecoveryPass } from './recovery.ts';
export { recoveryPasses } from './recovery.ts';
export type { Server } from './servers.ts';
export type { AnySlot, AnySlots, Lifetime, ManySlot, ManySlots, OneSlot, SlotFacts, Slots } from './slots.ts';
export { defineSlot, slotFacts } from './slots.ts';
export type {
  AttributeChange,
  DirectoryEntry,
  FileId,
  FileType,
  NewFile,
  Storage,
  StorageUsage,
  StoredAttributes,
  WriteWhen,
} from './storage.ts';
export { fileTypes } from './storage.ts';
export type {
  Attributes,
  Credentials,
  Elsewhere,
  FileProtocol,
  LockMode,
  Movable,
  Move,
  Mover,
  NameOps,
  ObjectKind,
  ObjectRef,
  OpenHow,
  OpenObject,
  Position,
  Ready,
  Sharing,
  Stream,
  StreamPlace,
  Streams,
  Traits,
  Turn,
  TwoNameOp,
  Waiter,
} from './streams.ts';
export { aboutOf } from './streams.ts';
export type { Calls, Fd, Program, RunningProgram, SystemCalls } from './system-calls.ts';
export type {
  Answer,
  AskOptions,
  Caller,
  Payload,
  PayloadCodec,
  Peers,
  Procedure,
  Silent,
  Transport,
} from './transport.ts';
export { inParameters, noPayload, silent, withData } from './transport.ts';
export type {
  Authority,
  Brand,
  HostId,
  Plain,
  ProtocolId,
  StreamId,
  Token,
  Undo,
  Verdict,
} from './vocabulary.ts';
export { authority, hostId, streamId, token } from './vocabulary.ts';
export { wellKnown } from './well-known.ts';
export { WriteWatches } from './write-watches.ts';
