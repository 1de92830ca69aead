/**
 * The protocol's numbers: ONC remote procedure calls, version 2 (RFC 1057, which RFC 5531 replaces), over UDP.
 *
 * Program numbers are from the range that RFC 1057, section 7.3, leaves to users. There are two programs on one port:
 * `calls` for a call to one host, and `questions` for one to everybody, whose servers are silent on errors (section 7.2).
 * A procedure's number is that of the transport's contract; procedure 0 of either program does nothing (section 11.1).
 */
import { type Layout, layout, u32 } from '@backplane/wire';

export const rpcVersion = 2;
export const programs = { calls: 0x2042_4b01, questions: 0x2042_4b02 } as const;
export const programVersion = 1;
export const nullProcedure = 0;

/** Reserved ports, which only a kernel may use; neither is assigned to a service. */
export const ports = { server: 1017, client: 1023 } as const;

export const messageTypes = { call: 0, reply: 1 } as const;
export const replyStates = { accepted: 0, denied: 1 } as const;
export const acceptStates = {
  success: 0,
  programUnavailable: 1,
  programMismatch: 2,
  procedureUnavailable: 3,
  garbageArguments: 4,
  systemError: 5,
} as const;
export const rejectStates = { rpcMismatch: 0, authError: 1 } as const;
export const authStates = { badCredential: 1, rejectedCredential: 2, tooWeak: 5 } as const;
export const flavors = { none: 0, unix: 1, short: 2 } as const;

export const limits = {
  parametersBytes: 1024,
  /** As NFS has it (RFC 1094, section 2.3.5, MAXDATA). */
  dataBytes: 8192,
  /** Body of a credential or verifier. */
  authBytes: 400,
  machineNameBytes: 255,
  groups: 16,
} as const;

/**
 * What the body of an AUTH_SHORT short hand says here. A server hands it out in the verifier of every reply, and takes it
 * as a credential for as long as it lives: this is what tells a server's lives apart, and what tells its clients that it
 * has rebooted. To the protocol the body is opaque, so that the client reads it by agreement.
 */
export interface ShortHand {
  /** The life of the server that gave it, and the instant at which that began by the cluster's clock, since 1970. */
  readonly serverBoot: number;
  readonly bootedSeconds: number;
  readonly bootedNanoseconds: number;
  /** To whom. */
  readonly client: number;
  readonly clientBoot: number;
}

export const shortHand: Layout<ShortHand> = /* @__PURE__ */ layout('sunRpc.shortHand', {
  serverBoot: u32(),
  bootedSeconds: u32(),
  bootedNanoseconds: u32(),
  client: u32(),
  clientBoot: u32(),
});
