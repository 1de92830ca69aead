/** Reading, writing and what else is done to an open file. Sprite's own numbers; 44 to 46 were I/O controls there. */
import {
  aboutFile,
  type LockRequest,
  lockRequest,
  readFileId,
  readNs,
  readPosition,
  readTurn,
  type SetRequest,
  setRequest,
  storedReply,
  type TruncateRequest,
  truncateRequest,
  writeFileId,
  writeNs,
  writePosition,
  writeTurn,
} from '@backplane/file-service';
import {
  type FileId,
  inParameters,
  noPayload,
  type Position,
  type Procedure,
  type StoredAttributes,
  type Turn,
  withData,
} from '@backplane/slots';
import { type ByteReader, record } from '@backplane/wire';
import { readStamp, writeStamp } from './open-procedures.ts';
import type { Stamp } from './stamp.ts';

export type { LockRequest, SetRequest, TruncateRequest };

export interface ReadRequest {
  readonly file: FileId;
  readonly at: Position;
  readonly count: number;
}
export const readFile: Procedure<ReadRequest, { readonly record: Turn | null; readonly data: Uint8Array }> = {
  id: 8,
  name: 'read',
  request: inParameters(
    record(
      'read',
      (to, q) => void writePosition(writeFileId(to, q.file), q.at).u32(q.count),
      (from) => ({ file: readFileId(from), at: readPosition(from), count: from.u32() }),
    ),
  ),
  reply: withData(record<Turn | null>('bytes', (to, turn) => void writeTurn(to, turn), readTurn)),
};

/** A block that leaves a client's cache. */
export interface WriteBack {
  /** What the client knew when it sent the block: one from before the file was emptied comes too late. */
  readonly stamp: Stamp;
  readonly lastDirty: boolean;
  /** Answer when the file is on the disk with it: the client's copy goes then. */
  readonly toDisk: boolean;
  /** When the program wrote; 0 if that has been reported already. */
  readonly modifyNs: number;
}
const lastDirtyBit = 1;
const toDiskBit = 2;

const flagsOf = (w: WriteBack): number => (w.lastDirty ? lastDirtyBit : 0) | (w.toDisk ? toDiskBit : 0);

function readWriteBack(from: ByteReader): WriteBack {
  const stamp = readStamp(from);
  const flags = from.u32();
  if (flags > (lastDirtyBit | toDiskBit)) from.fail();
  return {
    stamp,
    lastDirty: (flags & lastDirtyBit) !== 0,
    toDisk: (flags & toDiskBit) !== 0,
    modifyNs: readNs(from),
  };
}

export interface WriteRequest {
  readonly file: FileId;
  readonly at: Position;
  /** null: a program's own write, of a file that may not be cached. */
  readonly writeBack: WriteBack | null;
}
export interface WriteReply {
  /** The offset after the last byte written. */
  readonly next: number;
  /** The file is gone: nobody wants its blocks. */
  readonly removed: boolean;
  readonly turn: Turn | null;
}
export const writeFile: Procedure<{ readonly record: WriteRequest; readonly data: Uint8Array }, WriteReply> =
  {
    id: 9,
    name: 'write',
    request: withData(
      record(
        'write',
        (to, q) => {
          writePosition(writeFileId(to, q.file), q.at).bool(q.writeBack !== null);
          if (q.writeBack === null) return;
          writeNs(writeStamp(to, q.writeBack.stamp).u32(flagsOf(q.writeBack)), q.writeBack.modifyNs);
        },
        (from) => ({
          file: readFileId(from),
          at: readPosition(from),
          writeBack: from.bool() ? readWriteBack(from) : null,
        }),
      ),
    ),
    reply: inParameters(
      record<WriteReply>(
        'written',
        (to, r) => writeTurn(writeNs(to, r.next).bool(r.removed), r.turn),
        (from) => ({ next: readNs(from), removed: from.bool(), turn: readTurn(from) }),
      ),
    ),
  };

export const fileAttributes: Procedure<FileId, StoredAttributes> = {
  id: 18,
  name: 'attributes',
  request: aboutFile,
  reply: storedReply,
};

export const setFileAttributes: Procedure<SetRequest, null> = {
  id: 19,
  name: 'setAttributes',
  request: setRequest,
  reply: noPayload,
};

/** Returns when the file and its attributes are on the server's disk. */
export const syncFile: Procedure<FileId, null> = {
  id: 44,
  name: 'sync',
  request: aboutFile,
  reply: noPayload,
};

export const truncateFile: Procedure<TruncateRequest, null> = {
  id: 45,
  name: 'truncate',
  request: truncateRequest,
  reply: noPayload,
};

export const lockFile: Procedure<LockRequest, null> = {
  id: 46,
  name: 'lock',
  request: lockRequest,
  reply: noPayload,
};
