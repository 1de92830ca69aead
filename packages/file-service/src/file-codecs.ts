/**
 * Requests about one file, and replies, that protocols have in common: each gives them its own numbers. What a protocol says
 * besides (versions, stamps, who keeps copies) is its own.
 */
import {
  type AttributeChange,
  type Credentials,
  type FileId,
  hostId,
  inParameters,
  type LockMode,
  type OpenHow,
  type PayloadCodec,
  pathBytesMax,
  type StoredAttributes,
  type Waiter,
  withData,
} from '@backplane/slots';
import { type Codec, record } from '@backplane/wire';
import {
  message,
  readChange,
  readCredentials,
  readFileId,
  readHow,
  readNs,
  readStored,
  writeChange,
  writeCredentials,
  writeFileId,
  writeHow,
  writeNs,
  writeStored,
} from './codecs.ts';
import { readFrom, writeFrom } from './name-procedures.ts';

/** Nothing but which file. */
export const aboutFile: PayloadCodec<FileId> = /* @__PURE__ */ inParameters(
  record<FileId>('file', (to, f) => void writeFileId(to, f), readFileId),
);

export const storedRecord: Codec<StoredAttributes> = /* @__PURE__ */ record(
  'attributes',
  writeStored,
  readStored,
);
export const storedReply: PayloadCodec<StoredAttributes> = /* @__PURE__ */ inParameters(storedRecord);

/** Bytes of a file and nothing else. */
export const bytesReply: PayloadCodec<{ readonly record: null; readonly data: Uint8Array }> =
  /* @__PURE__ */ withData(
    record<null>(
      'bytes',
      () => {},
      () => null,
    ),
  );

export interface OpenRequest {
  readonly start: FileId;
  readonly path: string;
  readonly how: OpenHow;
  readonly who: Credentials;
  readonly machineType: string;
}
export const openRequest: PayloadCodec<OpenRequest> = /* @__PURE__ */ message(
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
);

export interface SetRequest {
  readonly file: FileId;
  readonly change: AttributeChange;
  readonly who: Credentials;
}
export const setRequest: PayloadCodec<SetRequest> = /* @__PURE__ */ inParameters(
  record<SetRequest>(
    'set',
    (to, q) => {
      writeFileId(to, q.file);
      writeChange(to, q.change);
      writeCredentials(to, q.who);
    },
    (from) => ({ file: readFileId(from), change: readChange(from), who: readCredentials(from) }),
  ),
);

export interface TruncateRequest {
  readonly file: FileId;
  readonly sizeBytes: number;
}
export const truncateRequest: PayloadCodec<TruncateRequest> = /* @__PURE__ */ inParameters(
  record<TruncateRequest>(
    'truncate',
    (to, q) => void writeNs(writeFileId(to, q.file), q.sizeBytes),
    (from) => ({ file: readFileId(from), sizeBytes: readNs(from) }),
  ),
);

/** A mode travels as its place here. */
export const lockModes: readonly LockMode[] = ['none', 'shared', 'exclusive'];
export const lockOwnerBytesMax = 64;

export interface LockRequest {
  readonly file: FileId;
  readonly mode: LockMode;
  readonly owner: string;
  readonly waiter: Waiter;
}
export const lockRequest: PayloadCodec<LockRequest> = /* @__PURE__ */ message(
  ({ words, text }, q) => {
    writeFileId(words, q.file).u32(lockModes.indexOf(q.mode)).u32(q.waiter.host).u32(q.waiter.ticket);
    text.string(q.owner);
  },
  ({ words, text }) => ({
    file: readFileId(words),
    mode: lockModes[words.u32()] ?? 'none',
    waiter: { host: hostId(words.u32()), ticket: words.u32() },
    owner: text.string(lockOwnerBytesMax),
  }),
);
