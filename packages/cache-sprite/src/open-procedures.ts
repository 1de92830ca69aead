/** Names, opens, closes and reopens between clients and servers. Sprite's own numbers; 47 to 52 had none there. */
import {
  lockModes,
  lockOwnerBytesMax,
  message,
  type NameProcedures,
  nameProcedures,
  type OpenRequest,
  openRequest,
  readAttempt,
  readFileId,
  readNs,
  readStored,
  writeAttempt,
  writeFileId,
  writeNs,
  writeStored,
} from '@backplane/file-service';
import {
  type FileId,
  inParameters,
  type LockMode,
  noPayload,
  type PayloadCodec,
  type Procedure,
  type StoredAttributes,
  type WireAttempt,
} from '@backplane/slots';
import { type ByteReader, type ByteWriter, type Codec, record } from '@backplane/wire';
import type { GoodFrom, Stamp, Version } from './stamp.ts';
import type { Uses } from './uses.ts';

export type { OpenRequest };

export const names: NameProcedures = nameProcedures({
  stat: 20,
  access: 47,
  unlink: 11,
  makeDirectory: 13,
  removeDirectory: 14,
  makeLink: 17,
  readLink: 48,
  setAttributes: 21,
  entries: 49,
  enter: 50,
  rename: 12,
  link: 16,
});

/** What a server decides at an open: may this client keep copies, and which of those that it has are still good? */
export interface Grant {
  readonly cacheable: boolean;
  readonly stamp: Stamp;
  readonly goodFrom: GoodFrom;
  /** Number of the stamp of the last open that emptied the file, in this life; 0 for none. */
  readonly emptiedAt: number;
  /** As the server knows them; the version is the one after this open. */
  readonly attributes: StoredAttributes;
}

export interface Opened extends Grant {
  readonly file: FileId;
}

/** What a client changed in its cache. A time of 0: nothing to report. */
export interface Report {
  readonly sizeBytes: number;
  readonly modifyNs: number;
  readonly accessNs: number;
}
export const nothingToReport: Report = { sizeBytes: 0, modifyNs: 0, accessNs: 0 };

export interface CloseRequest {
  readonly file: FileId;
  /** Of the open that is closed. */
  readonly uses: Uses;
  /** Blocks of the file that are not written back yet. */
  readonly dirty: boolean;
  readonly report: Report;
  /** The stream, if it may hold the file's lock; else ''. */
  readonly lockOwner: string;
}

export interface HeldLock {
  readonly owner: string;
  readonly mode: LockMode;
}

/** What a client has of one file, told to a server that has forgotten. */
export interface ReopenRequest {
  readonly file: FileId;
  /** Number of this reopening: what is not reopened in it is closed. */
  readonly round: number;
  readonly uses: Uses;
  /** It is open, and may be cached. */
  readonly cached: boolean;
  readonly dirty: boolean;
  readonly version: Version;
  /** Versions that the client itself may have caused by what an earlier life executed and has not answered. */
  readonly unanswered: number;
  readonly sizeBytes: number;
  readonly locks: readonly HeldLock[];
}

const locksMax = 64;

export const writeStamp = (to: ByteWriter, s: Stamp): ByteWriter => to.u32(s.life).u32(s.number);
export const readStamp = (from: ByteReader): Stamp => ({ life: from.u32(), number: from.u32() });

export const writeReport = (to: ByteWriter, r: Report): ByteWriter =>
  writeNs(writeNs(writeNs(to, r.sizeBytes), r.modifyNs), r.accessNs);
export const readReport = (from: ByteReader): Report => ({
  sizeBytes: readNs(from),
  modifyNs: readNs(from),
  accessNs: readNs(from),
});

const writeUses = (to: ByteWriter, u: Uses): ByteWriter => to.u32(u.opens).u32(u.writers).u32(u.executers);
const readUses = (from: ByteReader): Uses => ({
  opens: from.u32(),
  writers: from.u32(),
  executers: from.u32(),
});

function writeGrant(to: ByteWriter, g: Grant): void {
  writeStamp(to.bool(g.cacheable), g.stamp).u32(g.goodFrom.number).bool(g.goodFrom.thisLife).u32(g.emptiedAt);
  writeStored(to, g.attributes);
}
const readGrant = (from: ByteReader): Grant => ({
  cacheable: from.bool(),
  stamp: readStamp(from),
  goodFrom: { number: from.u32(), thisLife: from.bool() },
  emptiedAt: from.u32(),
  attributes: readStored(from),
});

export const openFile: Procedure<OpenRequest, WireAttempt<Opened>> = {
  id: 7,
  name: 'open',
  request: openRequest,
  reply: message(
    (to, a) =>
      writeAttempt(to, a, ({ words }, opened) => {
        writeFileId(words, opened.file);
        writeGrant(words, opened);
      }),
    (from) => readAttempt(from, ({ words }) => ({ file: readFileId(words), ...readGrant(words) })),
  ),
};

/** What the target of a move is told: the grant, and the lock that its stream has. */
export interface MovedHere {
  readonly grant: Grant;
  readonly lock: LockMode;
}
export const movedHere: Codec<MovedHere> = record<MovedHere>(
  'moved',
  (to, m) => writeGrant(to.u32(lockModes.indexOf(m.lock)), m.grant),
  (from) => ({ lock: lockModes[from.u32()] ?? 'none', grant: readGrant(from) }),
);

/** Answers whether that freed the file: then nobody needs its blocks any more. */
export const closeFile: Procedure<CloseRequest, boolean> = {
  id: 10,
  name: 'close',
  request: message(
    ({ words, text }, q) => {
      writeUses(writeFileId(words, q.file), q.uses).bool(q.dirty);
      writeReport(words, q.report);
      text.string(q.lockOwner);
    },
    ({ words, text }) => ({
      file: readFileId(words),
      uses: readUses(words),
      dirty: words.bool(),
      report: readReport(words),
      lockOwner: text.string(lockOwnerBytesMax),
    }),
  ),
  reply: inParameters(
    record<boolean>(
      'removed',
      (to, removed) => void to.bool(removed),
      (from) => from.bool(),
    ),
  ),
};

const reopenRequest: PayloadCodec<ReopenRequest> = message(
  ({ words, text }, q) => {
    writeUses(writeFileId(words, q.file).u32(q.round), q.uses).bool(q.cached).bool(q.dirty);
    writeNs(words.u32(q.version.number).u32(q.version.life).u32(q.unanswered), q.sizeBytes);
    words.list(q.locks, (w, lock) => void w.u32(lockModes.indexOf(lock.mode)));
    for (const { owner } of q.locks) text.string(owner);
  },
  ({ words, text }) => {
    const q = {
      file: readFileId(words),
      round: words.u32(),
      uses: readUses(words),
      cached: words.bool(),
      dirty: words.bool(),
      version: { number: words.u32(), life: words.u32() },
      unanswered: words.u32(),
      sizeBytes: readNs(words),
    };
    const modes = words.list((r) => lockModes[r.u32()] ?? 'none', locksMax);
    return { ...q, locks: modes.map((mode) => ({ mode, owner: text.string(lockOwnerBytesMax) })) };
  },
);

export const reopenFile: Procedure<ReopenRequest, Grant> = {
  id: 32,
  name: 'reopen',
  request: reopenRequest,
  reply: inParameters(record('grant', writeGrant, readGrant)),
};

/**
 * The same of a client that has crashed itself, and still has the dirty blocks that it had then. The size is the file's:
 * what the server has beyond it was to be cut off.
 */
export const restoreFile: Procedure<ReopenRequest, Grant> = {
  ...reopenFile,
  id: 52,
  name: 'restore',
};

/** The reopening of that number is over: the server closes what the client did not mention. */
export const handlesReopened: Procedure<number, null> = {
  id: 51,
  name: 'handlesReopened',
  request: inParameters(
    record<number>(
      'round',
      (to, round) => void to.u32(round),
      (from) => from.u32(),
    ),
  ),
  reply: noPayload,
};
