/**
 * Call and reply messages in external data representation (RFC 1057, section 8; RFC 1014).
 *
 *   call      xid  0  2  program  version  procedure  credential  verifier  arguments
 *   accepted  xid  1  0  verifier  accept state  results, or the versions that there are
 *   denied    xid  1  1  reject state  the versions that there are, or the authentication state
 *
 *   arguments                    parameters<1024>  data<8192>
 *   results                      status  parameters<1024>  data<8192>       status 0, or the number of a KernelError's kind
 *   of the null procedure        nothing, either way
 *
 * Reading never throws: bytes that are no message are `undefined`.
 */
import type { Payload } from '@backplane/slots';
import { ByteReader, ByteWriter } from '@backplane/wire';
import { type Credential, noAuth, readAuth } from './credentials.ts';
import {
  acceptStates,
  limits,
  messageTypes,
  programVersion,
  rejectStates,
  replyStates,
  rpcVersion,
  type ShortHand,
} from './layout.ts';

const noBytes: Uint8Array = new Uint8Array(0);
export const nothing: Payload = { parameters: noBytes, data: noBytes };

// ---- calls ----

export interface Call {
  readonly xid: number;
  readonly rpcVersion: number;
  readonly program: number;
  readonly version: number;
  readonly procedure: number;
  /** Undefined: none that makes sense. */
  readonly credential: Credential | undefined;
  /** What comes after the verifier. */
  readonly body: Uint8Array;
}

export const callMessage = (
  xid: number,
  program: number,
  procedure: number,
  credential: Uint8Array,
  payload: Payload | null,
): Uint8Array => {
  const to = new ByteWriter({ capacity: 32 + credential.length + areasBytes(payload) });
  to.u32(xid).u32(messageTypes.call).u32(rpcVersion).u32(program).u32(programVersion).u32(procedure);
  to.bytes(credential).bytes(noAuth);
  return payload === null ? to.finish() : to.opaque(payload.parameters).opaque(payload.data).finish();
};

export const readCall = (message: Uint8Array): Call | undefined => {
  const from = new ByteReader(message);
  const xid = from.u32();
  if (from.u32() !== messageTypes.call) return undefined;
  const version = from.u32();
  const otherVersion = !from.failed && version !== rpcVersion;
  const program = from.u32();
  const programVersionAsked = from.u32();
  const procedure = from.u32();
  const credential = readAuth(from);
  readAuth(from);
  if (from.failed && !otherVersion) return undefined;
  const body = from.bytes(from.remaining);
  return { xid, rpcVersion: version, program, version: programVersionAsked, procedure, credential, body };
};

/** Arguments; undefined when they are none. */
export const readArguments = (body: Uint8Array): Payload | undefined => areas(new ByteReader(body));

// ---- replies ----

export type Reply =
  | {
      readonly how: 'accepted';
      readonly xid: number;
      readonly hand: ShortHand;
      readonly state: number;
      readonly body: Uint8Array;
    }
  | { readonly how: 'denied'; readonly xid: number };

export interface Results {
  /** 0: the handler returned; else the number of its error's kind. */
  readonly status: number;
  readonly payload: Payload;
}

export const resultsMessage = (xid: number, verifier: Uint8Array, { status, payload }: Results): Uint8Array =>
  accepted(xid, verifier, acceptStates.success, 4 + areasBytes(payload))
    .u32(status)
    .opaque(payload.parameters)
    .opaque(payload.data)
    .finish();

/** Accepted, with nothing more to say: what the null procedure returns, and most errors. */
export const bareMessage = (xid: number, verifier: Uint8Array, state: number): Uint8Array =>
  accepted(xid, verifier, state, 0).finish();

export const programMismatchMessage = (xid: number, verifier: Uint8Array): Uint8Array =>
  accepted(xid, verifier, acceptStates.programMismatch, 8).u32(programVersion).u32(programVersion).finish();

export const rpcMismatchMessage = (xid: number): Uint8Array =>
  denied(xid, rejectStates.rpcMismatch).u32(rpcVersion).u32(rpcVersion).finish();

export const authErrorMessage = (xid: number, state: number): Uint8Array =>
  denied(xid, rejectStates.authError).u32(state).finish();

const accepted = (xid: number, verifier: Uint8Array, state: number, moreBytes: number): ByteWriter =>
  new ByteWriter({ capacity: 16 + verifier.length + moreBytes })
    .u32(xid)
    .u32(messageTypes.reply)
    .u32(replyStates.accepted)
    .bytes(verifier)
    .u32(state);

const denied = (xid: number, state: number): ByteWriter =>
  new ByteWriter().u32(xid).u32(messageTypes.reply).u32(replyStates.denied).u32(state);

export const readReply = (message: Uint8Array): Reply | undefined => {
  const from = new ByteReader(message);
  const xid = from.u32();
  if (from.u32() !== messageTypes.reply) return undefined;
  const how = from.u32();
  if (how === replyStates.denied) {
    from.u32();
    from.u32();
    return from.failed ? undefined : { how: 'denied', xid };
  }
  const verifier = readAuth(from);
  const state = from.u32();
  if (from.failed || how !== replyStates.accepted || verifier?.flavor !== 'short') return undefined;
  return { how: 'accepted', xid, hand: verifier.hand, state, body: from.bytes(from.remaining) };
};

/** Results; undefined when they are none. */
export const readResults = (body: Uint8Array): Results | undefined => {
  const from = new ByteReader(body);
  const status = from.u32();
  const payload = areas(from);
  return payload === undefined ? undefined : { status, payload };
};

// ---- both ----

const areas = (from: ByteReader): Payload | undefined => {
  const parameters = from.opaque(limits.parametersBytes);
  const data = from.opaque(limits.dataBytes);
  return from.failed || from.remaining > 0 ? undefined : { parameters, data };
};

const areasBytes = (payload: Payload | null): number =>
  payload === null ? 0 : 16 + payload.parameters.length + payload.data.length;
