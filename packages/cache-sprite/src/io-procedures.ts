/** Reading, writing and what else is done to an open file. Sprite's own numbers; 44 to 46 were I/O controls there. */
import {
  message,
  readChange,
  readCredentials,
  readFileId,
  readNs,
  readStored,
  writeChange,
  writeCredentials,
  writeFileId,
  writeNs,
  writeStored,
} from '@backplane/file-service';
import {
  type AttributeChange,
  type Credentials,
  type FileId,
  hostId,
  inParameters,
  type LockMode,
  noPayload,
  type Procedure,
  type StoredAttributes,
  type Waiter,
  withData,
} from '@backplane/slots';
import { type ByteReader, type ByteWriter, record } from '@backplane/wire';
import { lockModes, ownerBytesMax, readStamp, writeStamp } from './open-procedures.ts';
import type { Stamp } from './stamp.ts';

/** `null` is wherever the end is by then. */
type Place = number | null;
const writePlace = (to: ByteWriter, at: Place): ByteWriter => writeNs(to.bool(at === null), at ?? 0);
function readPlace(from: ByteReader): Place {
  const end = from.bool();
  const at = readNs(from);
  return end ? null : at;
}

const fileOnly = inParameters<FileId>(record('file', (to, f) => void writeFileId(to, f), readFileId));

export interface ReadRequest {
  readonly file: FileId;
  readonly at: Place;
  readonly count: number;
}
export const readFile: Procedure<ReadRequest, { readonly record: null; readonly data: Uint8Array }> = {
  id: 8,
  name: 'read',
  request: inParameters(
    record(
      'read',
      (to, q) => void writePlace(writeFileId(to, q.file), q.at).u32(q.count),
      (from) => ({ file: readFileId(from), at: readPlace(from), count: from.u32() }),
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

/** A block that leaves a client's cache. */
export interface WriteBack {
  /** What the client knew when it sent the block: one from before the file was emptied comes too late. */
  readonly stamp: Stamp;
  readonly lastDirty: boolean;
  /** When the program wrote; 0 if that has been reported already. */
  readonly modifyNs: number;
}
export interface WriteRequest {
  readonly file: FileId;
  readonly at: Place;
  /** null: a program's own write, of a file that may not be cached. */
  readonly writeBack: WriteBack | null;
}
export interface WriteReply {
  /** The offset after the last byte written. */
  readonly next: number;
  /** The file is gone: nobody wants its blocks. */
  readonly removed: boolean;
}
export const writeFile: Procedure<{ readonly record: WriteRequest; readonly data: Uint8Array }, WriteReply> =
  {
    id: 9,
    name: 'write',
    request: withData(
      record(
        'write',
        (to, q) => {
          writePlace(writeFileId(to, q.file), q.at).bool(q.writeBack !== null);
          if (q.writeBack === null) return;
          writeNs(writeStamp(to, q.writeBack.stamp).bool(q.writeBack.lastDirty), q.writeBack.modifyNs);
        },
        (from) => ({
          file: readFileId(from),
          at: readPlace(from),
          writeBack: from.bool()
            ? { stamp: readStamp(from), lastDirty: from.bool(), modifyNs: readNs(from) }
            : null,
        }),
      ),
    ),
    reply: inParameters(
      record<WriteReply>(
        'written',
        (to, r) => void writeNs(to, r.next).bool(r.removed),
        (from) => ({ next: readNs(from), removed: from.bool() }),
      ),
    ),
  };

export const fileAttributes: Procedure<FileId, StoredAttributes> = {
  id: 18,
  name: 'attributes',
  request: fileOnly,
  reply: inParameters(record('attributes', writeStored, readStored)),
};

export interface SetRequest {
  readonly file: FileId;
  readonly change: AttributeChange;
  readonly who: Credentials;
}
export const setFileAttributes: Procedure<SetRequest, null> = {
  id: 19,
  name: 'setAttributes',
  request: inParameters(
    record(
      'set',
      (to, q) => {
        writeFileId(to, q.file);
        writeChange(to, q.change);
        writeCredentials(to, q.who);
      },
      (from) => ({ file: readFileId(from), change: readChange(from), who: readCredentials(from) }),
    ),
  ),
  reply: noPayload,
};

/** Returns when the file and its attributes are on the server's disk. */
export const syncFile: Procedure<FileId, null> = {
  id: 44,
  name: 'sync',
  request: fileOnly,
  reply: noPayload,
};

export interface TruncateRequest {
  readonly file: FileId;
  readonly sizeBytes: number;
}
export const truncateFile: Procedure<TruncateRequest, null> = {
  id: 45,
  name: 'truncate',
  request: inParameters(
    record(
      'truncate',
      (to, q) => void writeNs(writeFileId(to, q.file), q.sizeBytes),
      (from) => ({ file: readFileId(from), sizeBytes: readNs(from) }),
    ),
  ),
  reply: noPayload,
};

export interface LockRequest {
  readonly file: FileId;
  readonly mode: LockMode;
  readonly owner: string;
  readonly waiter: Waiter;
}
export const lockFile: Procedure<LockRequest, null> = {
  id: 46,
  name: 'lock',
  request: message(
    ({ words, text }, q) => {
      writeFileId(words, q.file).u32(lockModes.indexOf(q.mode)).u32(q.waiter.host).u32(q.waiter.ticket);
      text.string(q.owner);
    },
    ({ words, text }) => ({
      file: readFileId(words),
      mode: lockModes[words.u32()] ?? 'none',
      waiter: { host: hostId(words.u32()), ticket: words.u32() },
      owner: text.string(ownerBytesMax),
    }),
  ),
  reply: noPayload,
};
