/** Procedures for tests, on bare bytes: contents that can be checked, and errors that can be compared. */
import type { Task, WaitQueue } from '@backplane/engine';
import {
  type BackplaneError,
  isBackplaneError,
  type Payload,
  type PayloadCodec,
  type Procedure,
  type Transport,
} from '@backplane/slots';
import { pattern } from '@backplane/slots/testing';

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

export const payload = (parametersBytes: number, dataBytes: number, key = 1): Payload => ({
  parameters: pattern(parametersBytes, key),
  data: pattern(dataBytes, key + 1),
});

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
