/** Procedures that workloads serve to measure a transport, whichever it is. */
import { noPayload, type Payload, type PayloadCodec, type Procedure } from '@backplane/slots';

const none = new Uint8Array(0);

/** Bytes alone, by reference. */
const bytes: PayloadCodec<Uint8Array> = {
  encode: (data): Payload => ({ parameters: none, data }),
  decode: ({ data }) => data,
};
/** Data to the server, nothing back. */
export const send: Procedure<Uint8Array, null> = { id: 124, name: 'send', request: bytes, reply: noPayload };
/** 128 bytes there, 8192 back. */
export const exchange: Procedure<Uint8Array, Uint8Array> = {
  id: 126,
  name: 'exchange',
  request: bytes,
  reply: bytes,
};
