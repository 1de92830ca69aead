/** Procedures for tests, on bare bytes: contents that can be checked, and errors that can be compared. */
import type { Task, WaitQueue } from '@backplane/engine';
import {
  type BackplaneError,
  isBackplaneError,
  isKernelError,
  type KernelErrorKind,
  type Payload,
  type PayloadCodec,
  type Procedure,
  type Transport,
} from '@backplane/slots';

const bare: PayloadCodec<Payload> = { encode: (value) => value, decode: (payload) => payload };

/** The procedure that most tests serve. */
export const work: Procedure<Payload, Payload> = { id: 120, name: 'work', request: bare, reply: bare };
export const other: Procedure<Payload, Payload> = { id: 121, name: 'other', request: bare, reply: bare };

/** Serves `work`: the reply is what was asked. */
export function echoes(transport: Transport): void {
  transport.serve(work, function* (asked): Task<Payload> {
    return asked;
  });
}

/** Serves `work`: notes which call it is, by its first byte, and keeps those with data waiting until the gate is opened. */
export function gatedWork(transport: Transport, executed: string[], gate: WaitQueue): void {
  transport.serve(work, function* (asked, from): Task<Payload> {
    executed.push(`${from.host}.${asked.parameters[0]}`);
    if (asked.data.length > 0) yield* gate.wait();
    return asked;
  });
}

const noBytes = new Uint8Array(0);
export const nothing: Payload = { parameters: noBytes, data: noBytes };

const keys = 251;

/** Bytes that differ from place to place and from key to key. */
export function pattern(length: number, key: number): Uint8Array {
  const bytes = new Uint8Array(length);
  const from = key % keys;
  for (let i = 0; i < length; i++) {
    const at = from + i;
    bytes[i] = at * 7 + (at >>> 8) * 13 + (at >>> 4);
  }
  return bytes;
}

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

/** What a developer is told. */
export function errorOf(f: () => unknown): BackplaneError {
  try {
    f();
  } catch (e) {
    if (isBackplaneError(e)) return e;
    throw e;
  }
  throw new Error('nothing was thrown');
}
