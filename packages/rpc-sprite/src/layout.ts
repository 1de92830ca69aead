/**
 * What a Sprite RPC packet looks like (Welch 1990, appendix C; word order of the header's C struct in
 * `src/kernel/rpc/rpcPacket.h`, which differs from the 1989 protocol appendix in words 13 and 14).
 *
 *   transport header | 16 words, most significant byte first | parameter area | data area
 *
 * The parameter area holds integers only, so that a receiver of the other byte order can swap it blindly; the data area
 * holds bytes. A sender writes its own byte order; the version word tells which it was.
 *
 * One word has more in it here than in Sprite: the server hint, of which a server process needs one byte. Its upper 24
 * bits hold the life of the server that is meant, or that answers (see `lives.ts`).
 */
import type { HostId } from '@backplane/slots';
import { type Layout, layout, u32 } from '@backplane/wire';

export const headerBytes = 64;

/** The version word as a receiver of the same byte order reads it, and as one of the other does. */
export const versions = { native: 0x0f0e0003, swapped: 0x03000e0f } as const;

/** Types, one of which each packet has. A negative acknowledgement is sent as `nack | ack`. */
export const types = {
  request: 0x100,
  ack: 0x200,
  reply: 0x400,
  echo: 0x800,
  nack: 0x1000,
} as const;

export const flags = {
  pleaseAck: 0x1,
  lastFragment: 0x2,
  close: 0x4,
  error: 0x8,
  /** Bound for the server's side. */
  toServer: 0x10,
  lastRecord: 0x20,
  /** The sender is not fully up: no sign that it has recovered. */
  notActive: 0x40,
  fastBoot: 0x80,
  serverRecovery: 0x1_0000,
} as const;

/** Sprite's own procedure numbers (`src/kernel/rpc/rpcCall.h`). Other boards count from 64. */
export const procedures = {
  echo1: 1,
  echo2: 2,
  send: 3,
  receive: 4,
  getTime: 5,
  prefix: 6,
  open: 7,
  read: 8,
  write: 9,
  close: 10,
  unlink: 11,
  rename: 12,
  makeDirectory: 13,
  removeDirectory: 14,
  makeDevice: 15,
  link: 16,
  symbolicLink: 17,
  getAttributes: 18,
  setAttributes: 19,
  getAttributesByName: 20,
  setAttributesByName: 21,
  getIoAttributes: 22,
  setIoAttributes: 23,
  deviceOpen: 24,
  select: 25,
  ioControl: 26,
  consist: 27,
  consistReply: 28,
  copyBlock: 29,
  migrate: 30,
  release: 31,
  reopen: 32,
  recovery: 33,
  domainInfo: 34,
  migrationCommand: 35,
  remoteCall: 36,
  remoteWait: 37,
  getProcess: 38,
  remoteWakeUp: 39,
  sendSignal: 40,
  releaseNew: 41,
  bulkReopen: 42,
  serverReopen: 43,
} as const;

/**
 * What the transport itself answers in `command` of a packet with ERROR. Errors of handlers are the numbers of the neutral
 * kinds, which lie far below Sprite's family of RPC status codes.
 */
export const refusals = {
  /** Sprite's RPC_SERVICE_DISABLED: alive, but not yet a server. */
  serviceDisabled: 0x3000a,
  /** Not one of Sprite's: the request was sent to another life of this host. Two words follow: when this one began. */
  otherLife: 0x3000d,
} as const;

export const limits = {
  fragments: 16,
  parametersBytes: 1024,
  dataBytes: 16384,
  channels: 8,
  /** Size of Sprite's table of hosts: 1 .. 199, and 0 is everybody. */
  hosts: 200,
} as const;

/** The host identifier of everybody. */
export const everybody = 0;

export interface SpriteRpcHeader {
  readonly version: number;
  readonly flags: number;
  readonly clientId: HostId;
  readonly serverId: HostId;
  readonly channel: number;
  readonly serverHint: number;
  readonly bootId: number;
  readonly id: number;
  readonly delay: number;
  readonly numFrags: number;
  readonly fragMask: number;
  readonly command: number;
  readonly paramSize: number;
  readonly dataSize: number;
  readonly paramOffset: number;
  readonly dataOffset: number;
}

export const spriteRpcHeader: Layout<SpriteRpcHeader> = /* @__PURE__ */ layout(
  'spriteRpc',
  {
    version: u32('protocol and byte order', { names: versions, base: 16 }),
    flags: u32('type and flags', { flags: { ...flags, ...types } }),
    clientId: u32<HostId>('host that calls'),
    serverId: u32<HostId>('host that serves; 0: everybody'),
    channel: u32("the client's channel"),
    serverHint: u32("the server's life (upper 24 bits) and its process (lowest byte)", { base: 16 }),
    bootId: u32('when the sender booted, seconds since 1970; 0: not known yet'),
    id: u32('the same in every packet of a call'),
    delay: u32('microseconds that the sender wants between fragments sent to it'),
    numFrags: u32('fragments of the message; 0: not fragmented'),
    fragMask: u32('this fragment; of a partial acknowledgement, those received', { base: 16 }),
    command: u32('procedure; the error where the error flag is set', {
      names: { ...procedures, ...refusals },
    }),
    paramSize: u32('bytes of the parameter area in this packet'),
    dataSize: u32('bytes of the data area in this packet'),
    paramOffset: u32("place of this packet's parameters in the message's, bytes"),
    dataOffset: u32("place of this packet's data in the message's, bytes"),
  },
  { doc: 'Sprite RPC packet header' },
);
