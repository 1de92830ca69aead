// Slot `transport`

export type { VmtpOptions } from './board.ts';
export { vmtp } from './board.ts';
export type { SignalledService } from './entity-manager.ts';
export { kernelEntity, kernelGroup, kernelLimits } from './kernel-messages.ts';
export type { StreamingEntities } from './vmtp-host.ts';
export { streamingEntities } from './vmtp-host.ts';

// The protocol's bytes, for dissectors, measurements and other implementations: packets

export { ClusterSums } from './checksum.ts';
export type { ControlFields, MessageWords, VmtpHeader } from './layout.ts';
export {
  checksumBytes,
  functions,
  groupFlags,
  headerBytes,
  headingBytes,
  internetDomain,
  leastPacketBytes,
  limits,
  packetDataBytes,
  vmtpHeader,
  vmtpMessage,
} from './layout.ts';
export type { ChecksumCover, Flaw, Heading } from './packet.ts';
export { encodeHeading, flaws, Packet, packetParts } from './packet.ts';
export type { Joined } from './packet-group.ts';
export { ArrivingGroup, isSound, packetGroup, sentBlocks } from './packet-group.ts';
export {
  allBlocks,
  blockCount,
  maskBytes,
  nextPacketBlocks,
  packetCount,
  prefixBytes,
} from './segment-blocks.ts';
export { controlFields, controlWord } from './words.ts';

// Names and numbers

export {
  managementCodes,
  operationNumber,
  priorityBits,
  priorityRank,
  responseCodeName,
  responseCodes,
} from './codes.ts';
export {
  addressOf,
  discriminatorMax,
  discriminatorOf,
  EntityTexts,
  entityNumber,
  entityOf,
  entityTypes,
  formatEntity,
  groupAddress,
  groupStation,
  parseEntity,
  typeOf,
  vmtpDefaultClient,
  vmtpManagerGroup,
  wellKnownGroup,
  wellKnownGroupMax,
} from './numbers.ts';

// What managers say to each other

export type {
  AuthProbeEntity,
  CreateEntity,
  DeleteEntity,
  EntityDescriptor,
  ModifiedService,
  ModifyService,
  NamedEntity,
  QueriedEntity,
  ServiceThread,
  SignalEntity,
} from './entity-management.ts';
export {
  authProbeEntity,
  createEntity,
  deleteEntity,
  entityFlags,
  modifyService,
  queryEntity,
  serviceFlags,
  signalEntity,
  unboundedQueue,
  vmtpEntityDescriptor,
  vmtpServiceThread,
} from './entity-management.ts';
export type {
  ClientNotice,
  EntityBlock,
  GetRequestForwarder,
  GroupMember,
  GroupMembers,
  ManagementName,
  PermittedMember,
  ProbedEntity,
  ProbeEntity,
  QueryGroup,
  QueryVmtpNode,
  RequestForwarder,
  ServerNotice,
  VmtpNode,
} from './management.ts';
export {
  addToGroup,
  createGroup,
  getRequestForwarder,
  groupMembersMax,
  groupPermissions,
  nodeFlags,
  notifyRemoteVmtpClient,
  notifyVmtpClient,
  notifyVmtpServer,
  operationOf,
  probeEntity,
  probeEntityBlock,
  queryGroup,
  queryVmtpNode,
  removeFromGroup,
} from './management.ts';
export type { ManagementOperation, MessageForm, Nothing, Reply } from './management-forms.ts';
