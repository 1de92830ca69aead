/** What the host of an end that has moved asks of the host of the pipe: numbers 133 to 137. */
import { inParameters, noPayload, type Procedure, type Ready, withData } from '@backplane/slots';
import { type ByteReader, type ByteWriter, record } from '@backplane/wire';
import type { End } from './pipe.ts';
import type { Numbers } from './pipe-id.ts';

/** One end of one pipe of the host that is asked. */
export interface Which extends Numbers {
  readonly end: End;
}
const writeWhich = (to: ByteWriter, w: Which): ByteWriter =>
  to
    .u32(w.boot)
    .u32(w.number)
    .bool(w.end === 'read');
const readWhich = (from: ByteReader): Which => ({
  boot: from.u32(),
  number: from.u32(),
  end: from.bool() ? 'read' : 'write',
});

export interface PipeRead extends Which {
  readonly count: number;
  /** Of the waiter at the caller. */
  readonly ticket: number;
}
export const pipeRead: Procedure<PipeRead, { readonly record: null; readonly data: Uint8Array }> = {
  id: 133,
  name: 'pipeRead',
  request: inParameters(
    record(
      'read',
      (to, q) => void writeWhich(to, q).u32(q.count).u32(q.ticket),
      (from) => ({ ...readWhich(from), count: from.u32(), ticket: from.u32() }),
    ),
  ),
  reply: withData(
    record<null>(
      'bytes',
      () => {},
      () => null,
    ),
  ),
};

export interface PipeWrite extends Which {
  /** Length of the program's whole write; the data are what can fit. */
  readonly wanted: number;
  readonly ticket: number;
}
/** Answers how many bytes were taken. */
export const pipeWrite: Procedure<{ readonly record: PipeWrite; readonly data: Uint8Array }, number> = {
  id: 134,
  name: 'pipeWrite',
  request: withData(
    record(
      'write',
      (to, q) => void writeWhich(to, q).u32(q.wanted).u32(q.ticket),
      (from) => ({ ...readWhich(from), wanted: from.u32(), ticket: from.u32() }),
    ),
  ),
  reply: inParameters(
    record<number>(
      'count',
      (to, n) => void to.u32(n),
      (from) => from.u32(),
    ),
  ),
};

export const pipePoll: Procedure<Which & { readonly ticket: number }, Ready> = {
  id: 135,
  name: 'pipePoll',
  request: inParameters(
    record(
      'poll',
      (to, q) => void writeWhich(to, q).u32(q.ticket),
      (from) => ({ ...readWhich(from), ticket: from.u32() }),
    ),
  ),
  reply: inParameters(
    record<Ready>(
      'ready',
      (to, r) => void to.bool(r.read).bool(r.write).bool(r.exception),
      (from) => ({ read: from.bool(), write: from.bool(), exception: from.bool() }),
    ),
  ),
};

export const pipeClose: Procedure<Which, null> = {
  id: 136,
  name: 'pipeClose',
  request: inParameters(record('close', (to, q) => void writeWhich(to, q), readWhich)),
  reply: noPayload,
};

/** Answers how many bytes are in the buffer. */
export const pipeUsed: Procedure<Which, number> = {
  id: 137,
  name: 'pipeUsed',
  request: inParameters(record('used', (to, q) => void writeWhich(to, q), readWhich)),
  reply: inParameters(
    record<number>(
      'bytes',
      (to, n) => void to.u32(n),
      (from) => from.u32(),
    ),
  ),
};
