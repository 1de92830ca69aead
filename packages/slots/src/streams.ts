/**
 * Slot `streams`, and what registers with it: file protocols (slot `fileCache`) and kinds of object (slot `objects`).
 *
 * A stream is an entry of the open-file table: shared by fork and dup, it holds the offset. `streams` is the switch:
 * it finds the board for an open object by protocol and by kind, keeps the table, the offsets, and the shadow
 * streams at the host that does the I/O.
 *
 * An open has two halves. The name half runs inside `NameView.perform` and answers with its own open object, or with
 * `Elsewhere`: a device, a pipe. The I/O half of another kind runs after naming is done; else a dead device host would
 * be mistaken for a dead file server and waited for.
 */
import type { Task } from '@backplane/engine';
import type { About, Attempt, NameTarget, NameView, SecondAttempt } from './naming.ts';
import type { AttributeChange, FileType } from './storage.ts';
import type { Authority, HostId, Plain, ProtocolId, StreamId, Token, Undo } from './vocabulary.ts';

/** On whose behalf. The super user is uid 0. */
export interface Credentials {
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
}

export interface OpenHow {
  readonly read?: boolean;
  readonly write?: boolean;
  readonly create?: boolean;
  readonly exclusive?: boolean;
  readonly truncate?: boolean;
  readonly append?: boolean;
  readonly execute?: boolean;
  /** Mode of a file that is created, the umask already taken off. */
  readonly mode?: number;
}

/** Names one object for everybody: its kind, who serves it, and the server's own identifier. */
export interface ObjectRef {
  readonly kind: string;
  readonly protocol: ProtocolId;
  readonly authority: Authority;
  readonly id: Plain;
}

/** The name half's answer for an object of another kind. */
export interface Elsewhere {
  readonly elsewhere: ObjectRef;
  readonly extra?: Plain;
}

/** An offset; wherever the end is by then (appending); or the host that does the I/O holds the offset for several hosts. */
export type Position = number | 'end' | { readonly shared: StreamId };

export interface Traits {
  readonly blockBytes: number;
  readonly seekable: boolean;
  /** Can an offset be shared between hosts? Without, such a stream does not move. */
  readonly sharedOffset: boolean;
  /** What is left of it after its server crashed. */
  readonly afterCrash: 'reopen' | 'by-name' | 'stateless' | 'lost';
}

export interface Attributes {
  readonly type: FileType;
  readonly sizeBytes: number;
  readonly links: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly version: number;
  readonly modifyNs: number;
  readonly changeNs: number;
  readonly accessNs: number;
  /** Identifies the object in the cluster: two names of one object have equal identities; never used again in a run. */
  readonly identity: string;
}

/** Who waits, for the wake-up across hosts. Each wait has a ticket of its own; a wake-up for an earlier one is ignored. */
export interface Waiter {
  readonly host: HostId;
  readonly ticket: number;
}

/** Advisory, of a whole object. */
export type LockMode = 'shared' | 'exclusive' | 'none';

export interface Ready {
  readonly read: boolean;
  readonly write: boolean;
  readonly exception: boolean;
}

/**
 * One use of one object. `close` does not wait for a dead server, unless it owes bytes to one that keeps no state
 * (`afterCrash: 'stateless'`); it throws what a write that was put off until then ran into.
 */
export interface OpenObject {
  readonly ref: ObjectRef;
  readonly how: OpenHow;
  readonly traits: Traits;
  /**
   * Up to `count` bytes; none at the end. `next` is the offset afterwards.
   *
   * @throws KernelError `wouldBlock`: the waiter was left and is woken when it may be tried again; `objectLost`
   */
  read(
    p: Position,
    count: number,
    waiter: Waiter,
  ): Task<{ readonly bytes: Uint8Array; readonly next: number }>;
  write(
    p: Position,
    bytes: Uint8Array,
    waiter: Waiter,
  ): Task<{ readonly count: number; readonly next: number }>;
  attributes(): Task<Attributes>;
  setAttributes(change: AttributeChange, who: Credentials): Task<void>;
  truncate(sizeBytes: number): Task<void>;
  lock(mode: LockMode, owner: StreamId, waiter: Waiter): Task<void>;
  /** What is ready now; for what is not, the waiter is left. */
  poll(waiter: Waiter): Task<Ready>;
  sync(): Task<void>;
  close(): Task<void>;
}

export interface Stream {
  readonly id: StreamId;
  readonly object: OpenObject;
  /** Valid here unless `shared`. */
  offset: number;
  readonly shared: boolean;
}

export interface Streams {
  /** Adds a file protocol. One board for each protocol. */
  protocol(p: FileProtocol): Undo;
  kind(k: ObjectKind): Undo;
  open(v: NameView, name: string, how: OpenHow, who: Credentials): Task<Stream>;
  /** The two ends of a fresh object without a name, such as a pipe. @throws `unsupported` when the kind has none */
  pair(kind: string): { readonly read: Stream; readonly write: Stream };
  name<K extends keyof NameOps>(
    v: NameView,
    name: string,
    op: K,
    argument: NameOps[K]['in'],
    who: Credentials,
  ): Task<NameOps[K]['out']>;
  nameTwo(v: NameView, op: TwoNameOp, first: string, second: string, who: Credentials): Task<void>;
  chdir(v: NameView, name: string, who: Credentials): Task<void>;
  /** From the stream's offset, which moves. Waits while the object has nothing, unless `nonBlocking`. */
  read(s: Stream, count: number, nonBlocking?: boolean): Task<Uint8Array>;
  write(s: Stream, bytes: Uint8Array, nonBlocking?: boolean): Task<number>;
  /** At an offset; the stream's own does not move. @throws `notSeekable` */
  readAt(s: Stream, at: number, count: number): Task<Uint8Array>;
  writeAt(s: Stream, at: number, bytes: Uint8Array): Task<number>;
  seek(s: Stream, to: number, from: 'start' | 'current' | 'end'): Task<number>;
  /** One more reference: fork, dup. */
  share(s: Stream): Stream;
  /** One reference fewer; the last one closes the object. */
  close(s: Stream): Task<void>;
  /** Waits until one of them is ready for what was asked, or the time is over. */
  select(
    wanted: readonly { readonly stream: Stream; readonly read: boolean; readonly write: boolean }[],
    timeoutNs: number,
  ): Task<readonly Ready[]>;
  /** Takes, changes or gives up the advisory lock of the whole object, for this stream. @throws `wouldBlock` unless `wait` */
  lock(s: Stream, mode: LockMode, o: { readonly wait: boolean }): Task<void>;
  /** What this host has written and its servers have not yet is theirs when it returns, over all protocols. */
  syncAll(): Task<void>;
  /** Ends somebody's wait, on whatever host: called by objects that left a waiter when what it waits for may have come. */
  wake(w: Waiter): void;
}

/** Operations on one name. `about` says how naming matches. Open to declaration merging. */
export interface NameOps {
  stat: { in: { readonly follow: boolean }; out: Attributes };
  access: { in: { readonly read: boolean; readonly write: boolean; readonly execute: boolean }; out: null };
  unlink: { in: Record<never, never>; out: null };
  makeDirectory: { in: { readonly mode: number }; out: null };
  removeDirectory: { in: Record<never, never>; out: null };
  /** A symbolic link, or with `remote` a remote link: the mark of another server's domain. */
  makeLink: { in: { readonly target: string; readonly remote: boolean }; out: null };
  readLink: { in: Record<never, never>; out: string };
  setAttributes: { in: { readonly change: AttributeChange; readonly follow: boolean }; out: null };
  /** Names sorted by their bytes, those after `after` that fit one answer; `complete` when there are no more. */
  entries: {
    in: { readonly after: string };
    out: { readonly names: readonly string[]; readonly complete: boolean };
  };
  /** For chdir: the directory as a token. */
  enter: { in: Record<never, never>; out: Token };
}
export type TwoNameOp = 'rename' | 'link';

/** The operations that concern the directory entry rather than the object behind it. */
const entryOps: ReadonlySet<keyof NameOps> = new Set<keyof NameOps>([
  'unlink',
  'makeDirectory',
  'removeDirectory',
  'makeLink',
]);
export const aboutOf = (op: keyof NameOps): About => (entryOps.has(op) ? 'entry' : 'object');

/**
 * Slot `fileCache` (many): the client and server halves of one file access protocol: who may keep copies until when.
 * Its replies, callbacks and write-back messages are private to the board. The server half exists where the machine
 * has storage; it calls `naming.export`, `transport.serve` and `peers.onDead`.
 */
export interface FileProtocol {
  readonly protocol: ProtocolId;
  open(t: NameTarget, how: OpenHow, who: Credentials): Task<Attempt<OpenObject | Elsewhere>>;
  name<K extends keyof NameOps>(
    t: NameTarget,
    op: K,
    argument: NameOps[K]['in'],
    who: Credentials,
  ): Task<Attempt<NameOps[K]['out']>>;
  nameTwo(
    op: TwoNameOp,
    a: NameTarget,
    b: NameTarget,
    who: Credentials,
  ): Task<Attempt<null> | SecondAttempt<null>>;
  /** What this host has written and its servers have not yet is theirs when it returns. */
  sync(): Task<void>;
}

/** Slot `objects` (many): one kind of open object. */
export interface ObjectKind {
  readonly kind: string;
  /** Both ends of a fresh object without a name, where the kind has such objects. */
  pair?(): { readonly read: OpenObject; readonly write: OpenObject };
  /** The I/O half of an open that another protocol's name half found. */
  open(e: Elsewhere, how: OpenHow, who: Credentials): Task<OpenObject>;
}
