/** Procedures that workloads serve to measure a transport, whichever it is. */
import { inParameters, noPayload, type Payload, type PayloadCodec, type Procedure } from '@backplane/slots';
import { record } from '@backplane/wire';

const none = new Uint8Array(0);

/** Bytes alone, by reference. */
const bytes: PayloadCodec<Uint8Array> = {
  encode: (data): Payload => ({ parameters: none, data }),
  decode: ({ data }) => data,
};
const count: PayloadCodec<number> = inParameters(
  record(
    'count',
    (to, n) => void to.u32(n),
    (from) => from.u32(),
  ),
);

/** Data to the server, nothing back. */
export const send: Procedure<Uint8Array, null> = { id: 124, name: 'send', request: bytes, reply: noPayload };
/** So many bytes from the server. */
export const receive: Procedure<number, Uint8Array> = {
  id: 4,
  name: 'receive',
  request: count,
  reply: bytes,
};
/** 128 bytes there, 8192 back. */
export const exchange: Procedure<Uint8Array, Uint8Array> = {
  id: 126,
  name: 'exchange',
  request: bytes,
  reply: bytes,
};
