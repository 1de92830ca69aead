/**
 * Numbers with names: how transactions end, what managers are asked, and how urgent a message is (RFC 1045, section
 * 3.3, and appendices I and III).
 */
import type { MessagePriority } from '@backplane/slots';

/**
 * Response codes. Those that V's programs see have the names and numbers of `ReplyCode` in the contract; the others are
 * between hosts, or of parts of VMTP that hosts here do not have.
 */
export const responseCodes = {
  ok: 0,
  retry: 1,
  retryAll: 2,
  busy: 3,
  nonexistentEntity: 4,
  entityMigrated: 5,
  noPermission: 6,
  notAwaitingMessage: 7,
  protocolError: 8,
  overflow: 9,
  badTransactionId: 10,
  streamingNotSupported: 11,
  noRunRecord: 12,
  retransmissionTimeout: 13,
  userTimeout: 14,
  responseDiscarded: 15,
  securityNotSupported: 16,
  badReplySegment: 17,
  securityRequired: 18,
  streamedResponse: 19,
  tooManyRetries: 20,
  noPrincipal: 21,
  noKey: 22,
  encryptionNotSupported: 23,
  noAuthenticator: 24,
} as const;

/** Codes of applications start here. */
const firstUserCode = 0x80_0000;

const responseNames: readonly string[] = /* @__PURE__ */ Object.keys(responseCodes);

/** The code's name, for traces; `reserved N`, or `user N` counted from the first code of applications. */
export function responseCodeName(code: number): string {
  if (code >= firstUserCode) return `user ${code - firstUserCode}`;
  return responseNames[code] ?? `reserved ${code}`;
}

/**
 * Requests to the manager of a host, as whole code words: flags, interface 1, procedure. Of two, the reserved flag 0x08 is
 * set by the RFC's own list; receivers compare without flags (`operationNumber`).
 */
export const managementCodes = {
  probeEntity: 0x0500_0101,
  authProbeEntity: 0x0d00_0102,
  probeEntityBlock: 0x0500_0103,
  queryVmtpNode: 0x0500_0104,
  getRequestForwarder: 0x0500_0105,
  createEntity: 0x0500_0106,
  deleteEntity: 0x0500_0107,
  queryEntity: 0x0d00_0108,
  signalEntity: 0x0500_0109,
  createGroup: 0x0500_010a,
  addToGroup: 0x0500_010b,
  removeFromGroup: 0x0500_010c,
  queryGroup: 0x0500_010d,
  modifyService: 0x0500_010e,
  notifyVmtpClient: 0x4500_010f,
  notifyVmtpServer: 0x4500_0110,
  notifyRemoteVmtpClient: 0x4100_0111,
} as const;

/**
 * What of a code word says which operation it is: the flag of public codes and the lower 24 bits. The other flags say how it
 * is delivered, and differ between the RFC's own lists.
 */
export const operationNumber = (codeWord: number): number => codeWord & 0x01ff_ffff;

/**
 * The header's four bits of priority, from the contract's rank: 0 is most urgent, 8 normal. The upper two bits are the
 * level (11 urgent, 10 important, 00 normal, 01 background), the lower two grade downward within it.
 */
export function priorityBits(rank: MessagePriority): number {
  const level = rank >>> 2;
  return ((level < 2 ? level ^ 3 : level ^ 2) << 2) | (rank & 3);
}

/** The contract's rank, from the header's four bits: what is compared, smallest first. */
export function priorityRank(bits: number): MessagePriority {
  const level = bits >>> 2;
  return ((level < 2 ? level ^ 2 : level ^ 3) << 2) | (bits & 3);
}
