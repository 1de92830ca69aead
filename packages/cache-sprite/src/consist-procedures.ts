/**
 * The callbacks by which a server keeps its clients' caches consistent: Sprite's FS_CONSIST (27), which the client answers
 * at once, and FS_CONSIST_REPLY (28), by which it reports what it has done. Flags as in Sprite.
 */
import { readFileId, writeFileId } from '@backplane/file-service';
import { type FileId, inParameters, noPayload, type Procedure } from '@backplane/slots';
import { record } from '@backplane/wire';
import { type Report, readReport, readStamp, writeReport, writeStamp } from './open-procedures.ts';
import type { Stamp } from './stamp.ts';

export const consistFlags = {
  /** Write dirty blocks back. */
  writeBack: 1,
  /** Drop all blocks, and cache no more. */
  invalidate: 2,
  /** The file is gone: drop all blocks, dirty or not. */
  discard: 4,
  /** Report size and times. */
  attributes: 0x10,
} as const;

export interface ConsistRequest {
  readonly file: FileId;
  /** Of the newest open of this client that the server has granted. */
  readonly stamp: Stamp;
  readonly flags: number;
  /** Names this callback in the report. */
  readonly ticket: number;
}

/** Answers false when the client does not know yet of the open with that stamp: its reply is on the way. */
export const consist: Procedure<ConsistRequest, boolean> = {
  id: 27,
  name: 'consist',
  request: inParameters(
    record(
      'consist',
      (to, q) => void writeStamp(writeFileId(to, q.file), q.stamp).u32(q.flags).u32(q.ticket),
      (from) => ({
        file: readFileId(from),
        stamp: readStamp(from),
        flags: from.u32(),
        ticket: from.u32(),
      }),
    ),
  ),
  reply: inParameters(
    record<boolean>(
      'accepted',
      (to, accepted) => void to.bool(accepted),
      (from) => from.bool(),
    ),
  ),
};

export interface ConsistReply {
  readonly ticket: number;
  /** 0, or the number of the error that kept dirty blocks where they are. */
  readonly error: number;
  readonly report: Report;
}
export const consistReply: Procedure<ConsistReply, null> = {
  id: 28,
  name: 'consistReply',
  request: inParameters(
    record(
      'consistReply',
      (to, q) => void writeReport(to.u32(q.ticket).u32(q.error), q.report),
      (from) => ({ ticket: from.u32(), error: from.u32(), report: readReport(from) }),
    ),
  ),
  reply: noPayload,
};
