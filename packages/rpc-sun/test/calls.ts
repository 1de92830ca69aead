/** Procedures for tests, on bare bytes: contents that can be checked, and calls that can be counted. */
import type { Task } from '@backplane/engine';
import {
  isKernelError,
  type KernelErrorKind,
  type Payload,
  type PayloadCodec,
  type Procedure,
} from '@backplane/slots';

const bare: PayloadCodec<Payload> = { encode: (value) => value, decode: (payload) => payload };

/** The procedure that most tests serve. */
export const work: Procedure<Payload, Payload> = { id: 120, name: 'work', request: bare, reply: bare };
export const other: Procedure<Payload, Payload> = { id: 121, name: 'other', request: bare, reply: bare };

export const nothing: Payload = { parameters: new Uint8Array(0), data: new Uint8Array(0) };

const keys = 251;
const longest = 8192;
/** No two windows of it that begin within the first bytes are equal. */
const source = Uint8Array.from(
  { length: longest + keys },
  (_, i) => (i * 7 + (i >>> 8) * 13 + (i >>> 4)) & 0xff,
);

/** Bytes that differ from place to place and from key to key. */
export const pattern = (length: number, key: number): Uint8Array =>
  source.slice(key % keys, (key % keys) + length);

export const payload = (parametersBytes: number, dataBytes: number, key = 1): Payload => ({
  parameters: pattern(parametersBytes, key),
  data: pattern(dataBytes, key + 1),
});

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
