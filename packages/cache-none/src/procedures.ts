/** What clients and servers of this protocol say to one another: numbers 96 to 118. */
import {
  message,
  type NameProcedures,
  nameProcedures,
  readAttempt,
  readChange,
  readCredentials,
  readFileId,
  readFrom,
  readHow,
  readNs,
  readStored,
  writeAttempt,
  writeChange,
  writeCredentials,
  writeFileId,
  writeFrom,
  writeHow,
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
  type OpenHow,
  type Procedure,
  pathBytesMax,
  type StoredAttributes,
  type Waiter,
  type WireAttempt,
  withData,
} from '@backplane/slots';
import { type ByteReader, type ByteWriter, record } from '@backplane/wire';

/** A file and the attributes that it has at its server. */
export interface FileState {
  readonly file: FileId;
  readonly attributes: StoredAttributes;
}

export interface OpenRequest {
  readonly start: FileId;
  readonly path: string;
  readonly how: OpenHow;
  readonly who: Credentials;
  readonly machineType: string;
}

/** A place in a file; `null` is wherever the end is by then. */
export interface At {
  readonly file: FileId;
  readonly at: number | null;
}

const bit = (to: ByteWriter, at: number | null): ByteWriter =>
  at === null ? to.bool(true) : writeNs(to.bool(false), at);
const place = (from: ByteReader): number | null => (from.bool() ? null : readNs(from));

const fileOnly = inParameters<FileId>(record('file', (to, f) => void writeFileId(to, f), readFileId));
const number = inParameters<number>(record('number', (to, n) => void writeNs(to, n), readNs));

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
  request: message(
    (to, q) => {
      writeFileId(to.words, q.start);
      to.text.string(q.path);
      writeHow(to.words, q.how);
      writeFrom(to, q);
    },
    (from) => ({
      start: readFileId(from.words),
      path: from.text.string(pathBytesMax),
      how: readHow(from.words),
      ...readFrom(from),
    }),
  ),
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
  request: fileOnly,
  reply: noPayload,
};

export const readFile: Procedure<
  At & { readonly count: number },
  { readonly record: null; readonly data: Uint8Array }
> = {
  id: 98,
  name: 'read',
  request: inParameters(
    record(
      'read',
      (to, q) => void bit(writeFileId(to, q.file), q.at).u32(q.count),
      (from) => ({ file: readFileId(from), at: place(from), count: from.u32() }),
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

/** Answers with the offset after the last byte written. */
export const writeFile: Procedure<{ readonly record: At; readonly data: Uint8Array }, number> = {
  id: 99,
  name: 'write',
  request: withData(
    record(
      'write',
      (to, q) => void bit(writeFileId(to, q.file), q.at),
      (from) => ({ file: readFileId(from), at: place(from) }),
    ),
  ),
  reply: number,
};

export const fileAttributes: Procedure<FileId, StoredAttributes> = {
  id: 100,
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
  id: 101,
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

export const truncateFile: Procedure<{ readonly file: FileId; readonly sizeBytes: number }, null> = {
  id: 102,
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

export const syncFile: Procedure<FileId, null> = {
  id: 103,
  name: 'sync',
  request: fileOnly,
  reply: noPayload,
};

export interface LockRequest {
  readonly file: FileId;
  readonly mode: LockMode;
  readonly owner: string;
  readonly waiter: Waiter;
}
const modes: readonly LockMode[] = ['none', 'shared', 'exclusive'];
export const lockFile: Procedure<LockRequest, null> = {
  id: 104,
  name: 'lock',
  request: message(
    (to, q) => {
      writeFileId(to.words, q.file).u32(modes.indexOf(q.mode)).u32(q.waiter.host).u32(q.waiter.ticket);
      to.text.string(q.owner);
    },
    (from) => ({
      file: readFileId(from.words),
      mode: modes[from.words.u32()] ?? 'none',
      waiter: { host: hostId(from.words.u32()), ticket: from.words.u32() },
      owner: from.text.string(64),
    }),
  ),
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
