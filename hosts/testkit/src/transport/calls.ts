/** Procedures for checks, on bare bytes: contents that can be compared, and calls that can be counted. */
import { inParameters, type Payload, type PayloadCodec, type Procedure } from '@backplane/slots';
import { pattern, sameBytes } from '@backplane/slots/testing';
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
