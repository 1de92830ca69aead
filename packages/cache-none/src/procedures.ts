/** What clients and servers of this protocol say to one another: numbers 96 to 118. */
import {
  aboutFile,
  type LockRequest,
  lockRequest,
  message,
  type NameProcedures,
  nameProcedures,
  type OpenRequest,
  openRequest,
  readAttempt,
  readFileId,
  readNs,
  readPosition,
  readStored,
  readTurn,
  type SetRequest,
  setRequest,
  storedReply,
  type TruncateRequest,
  truncateRequest,
  writeAttempt,
  writeFileId,
  writeNs,
  writePosition,
  writeStored,
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
  type WireAttempt,
  withData,
} from '@backplane/slots';
import { record } from '@backplane/wire';

export type { LockRequest, OpenRequest, SetRequest };

/** A file and the attributes that it has at its server. */
export interface FileState {
  readonly file: FileId;
  readonly attributes: StoredAttributes;
}

export interface At {
  readonly file: FileId;
  readonly at: Position;
}

export const names: NameProcedures = nameProcedures({
  stat: 105,
  access: 106,
  unlink: 107,
  makeDirectory: 108,
  removeDirectory: 109,
  makeLink: 110,
  readLink: 111,
  setAttributes: 112,
  entries: 113,
  enter: 114,
  rename: 115,
  link: 116,
});

export const openFile: Procedure<OpenRequest, WireAttempt<FileState>> = {
  id: 96,
  name: 'open',
  request: openRequest,
  reply: message(
    (to, a) =>
      writeAttempt(to, a, ({ words }, s) => {
        writeFileId(words, s.file);
        writeStored(words, s.attributes);
      }),
    (from) => readAttempt(from, ({ words }) => ({ file: readFileId(words), attributes: readStored(words) })),
  ),
};

export const closeFile: Procedure<FileId, null> = {
  id: 97,
  name: 'close',
  request: aboutFile,
  reply: noPayload,
};

export const readFile: Procedure<
  At & { readonly count: number },
  { readonly record: Turn | null; readonly data: Uint8Array }
> = {
  id: 98,
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

export interface Written {
  /** The offset after the last byte written. */
  readonly next: number;
  readonly turn: Turn | null;
}
export const writeFile: Procedure<{ readonly record: At; readonly data: Uint8Array }, Written> = {
  id: 99,
  name: 'write',
  request: withData(
    record(
      'write',
      (to, q) => void writePosition(writeFileId(to, q.file), q.at),
      (from) => ({ file: readFileId(from), at: readPosition(from) }),
    ),
  ),
  reply: inParameters(
    record<Written>(
      'written',
      (to, w) => void writeTurn(writeNs(to, w.next), w.turn),
      (from) => ({ next: readNs(from), turn: readTurn(from) }),
    ),
  ),
};

export const fileAttributes: Procedure<FileId, StoredAttributes> = {
  id: 100,
  name: 'attributes',
  request: aboutFile,
  reply: storedReply,
};

export const setFileAttributes: Procedure<SetRequest, null> = {
  id: 101,
  name: 'setAttributes',
  request: setRequest,
  reply: noPayload,
};

export const truncateFile: Procedure<TruncateRequest, null> = {
  id: 102,
  name: 'truncate',
  request: truncateRequest,
  reply: noPayload,
};

export const syncFile: Procedure<FileId, null> = {
  id: 103,
  name: 'sync',
  request: aboutFile,
  reply: noPayload,
};

export const lockFile: Procedure<LockRequest, null> = {
  id: 104,
  name: 'lock',
  request: lockRequest,
  reply: noPayload,
};

/** After the server's reboot: this host has the file open so many times. */
export const reopenFile: Procedure<{ readonly file: FileId; readonly uses: number }, null> = {
  id: 117,
  name: 'reopen',
  request: inParameters(
    record(
      'reopen',
      (to, q) => void writeFileId(to, q.file).u32(q.uses),
      (from) => ({ file: readFileId(from), uses: from.u32() }),
    ),
  ),
  reply: noPayload,
};
