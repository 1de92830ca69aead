/** Procedures for checks, on bare bytes: contents that can be compared, and calls that can be counted. */
import type { Task } from '@backplane/engine';
import {
  inParameters,
  isKernelError,
  type KernelErrorKind,
  type Payload,
  type PayloadCodec,
  type Procedure,
} from '@backplane/slots';
import { layout, u32 } from '@backplane/wire';

const bare: PayloadCodec<Payload> = { encode: (value) => value, decode: (payload) => payload };
const bareProcedure = (id: number, name: string): Procedure<Payload, Payload> => ({
  id,
  name,
  request: bare,
  reply: bare,
});

/** Numbers that no board of the project uses. */
export const work: Procedure<Payload, Payload> = /* @__PURE__ */ bareProcedure(1001, 'work');
export const back: Procedure<Payload, Payload> = /* @__PURE__ */ bareProcedure(1002, 'call back');
export const nobodys: Procedure<Payload, Payload> = /* @__PURE__ */ bareProcedure(1003, 'served by nobody');

/** The same number as `work`, and values that only some bytes are. */
const number: PayloadCodec<{ readonly value: number }> = /* @__PURE__ */ inParameters(
  layout('number', { value: u32() }),
);
export const numbers: Procedure<{ readonly value: number }, { readonly value: number }> = {
  id: work.id,
  name: 'numbers',
  request: number,
  reply: number,
};

const noBytes = new Uint8Array(0);
export const nothing: Payload = { parameters: noBytes, data: noBytes };

/** Bytes that differ from place to place and from key to key. */
export function pattern(length: number, key: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = i * 7 + (i >>> 8) * 13 + (i >>> 4) + key * 29;
  return bytes;
}

/** A request that says which one it is in its first four bytes. */
export function numbered(call: number, parametersBytes: number, dataBytes: number): Payload {
  const parameters = pattern(Math.max(4, parametersBytes), call);
  new DataView(parameters.buffer).setUint32(0, call);
  return { parameters, data: pattern(dataBytes, call) };
}

export const numberOf = ({ parameters }: Payload): number =>
  parameters.length < 4 ? -1 : new DataView(parameters.buffer, parameters.byteOffset, 4).getUint32(0);

export const equal = (a: Payload, b: Payload): boolean =>
  sameBytes(a.parameters, b.parameters) && sameBytes(a.data, b.data);

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** The kind of the error that a task ends with; 'ok' when it ends well. */
export function* kindOf(task: Task<unknown>): Task<KernelErrorKind | 'ok'> {
  try {
    yield* task;
    return 'ok';
  } catch (e) {
    if (!isKernelError(e)) throw e;
    return e.kind;
  }
}
