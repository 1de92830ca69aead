/**
 * Slot `streams`, and what registers with it: file protocols (slot `fileCache`) and kinds of object (slot `objects`).
 *
 * A stream is an entry of the open-file table: shared by fork and dup, it holds the offset. `streams` is the switch:
 * it finds the board for an open object by protocol and by kind, keeps the table, the offsets, and the shadow
 * streams at the host that does the I/O.
 *
 * A stream moves to another host, and may then be used on several. Nothing changes when its process leaves: the source
 * describes it, the target adopts it, and the adoption fetches the reference from the source, by way of the host that
 * does the I/O (Welch 1990, chapter 5; Douglis and Ousterhout 1991):
 *
 *   source   `describe`                          a `Movable`, with a ticket for one reference
 *   target   `adopt`, the kind's `adopt`,        asks the I/O server
 *            `handOver`
 *   server   the kind's `move`                   checks what can be checked before anything changes
 *            its `release`                       calls the source back, under the lock of the shadow stream alone
 *   source   one reference fewer; the last       takes the ticket back; says whether the stream is still in use there,
 *            leaves by `depart`                  and its offset
 *   server   the rest of `move`                  the target's use replaces the source's, or joins it
 *   target   the open object, and the offset     unless the I/O server holds it from now on
 *
 * Invariants. A reference is in one place: its ticket is taken back once, by the release or by `withdraw`. The offset is
 * valid in one place: on the host that is alone with the stream; else in the shadow at the I/O server. A server counts
 * one use of a stream for each host, not for each reference; from before the release until after the adoption it counts
 * at least one, so that an unlinked file lives through the move. What leaves takes its use along before the target's is
 * entered, so that a move alone shares nothing.
 *
 * Failures. Moves are not tried again: who moves the process ends it, or keeps it where `withdraw` says yes.
 *
 *   what dies      before the release                         after it
 *   target         nothing has changed                        the reference is gone, and its use at the server
 *   source         `peerDown` at the target; the server       as if it had closed its other references; but bytes
 *                  drops what the source had                  that it still owed the server fail the move, `stale`
 *   I/O server     `peerDown` at the target                   `peerDown`, and the reference is gone; the source tells
 *                                                             the server's next life the uses that it still has
 *
 * Shared offsets outlive the I/O server. Each operation at one has a number; each sharer knows the offset after the
 * newest that it has seen, and who shares. The first to come back makes the server ask the others; the newest wins, and
 * until all have answered or are dead everybody waits. An operation that the server executed and did not answer is lost
 * if a later one is known, and else tried again from where it began.
 *
 * An open has two halves. The name half runs inside `NameView.perform` and answers with its own open object, or with
 * `Elsewhere`: a device, a pipe. The I/O half of another kind runs after naming is done; else a dead device host would
 * be mistaken for a dead file server and waited for.
 */
import type { Task } from '@backplane/engine';
import type { About, Attempt, NameTarget, NameView, SecondAttempt } from './naming.ts';
import type { AttributeChange, StoredAttributes } from './storage.ts';
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

/** What an operation has made of a shared offset. */
export interface Turn {
  /** The offset afterwards. */
  readonly next: number;
  /** Numbers the operations at this offset: after a crash the newest that is known is right. */
  readonly turn: number;
  /** Nobody else shares it any more: the offset is the caller's from now on. */
  readonly alone: boolean;
}

export interface Traits {
  readonly blockBytes: number;
  readonly seekable: boolean;
  /** Can several hosts use one stream of it? Without, a stream moves only while it is not shared. */
  readonly sharedOffset: boolean;
  /** What is left of it after its server crashed. */
  readonly afterCrash: 'reopen' | 'by-name' | 'stateless' | 'lost';
}

export interface Attributes extends Omit<StoredAttributes, 'createNs' | 'device'> {
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
   * Up to `count` bytes; none at the end. `next` is the offset afterwards; at a shared offset there is a turn too.
   *
   * @throws KernelError `wouldBlock`: the waiter was left and is woken when it may be tried again; `objectLost`; at a
   * shared offset `recovering`, as `Streams.atShared` has thrown it at the server
   */
  read(
    p: Position,
    count: number,
    waiter: Waiter,
  ): Task<{ readonly bytes: Uint8Array; readonly next: number; readonly turn?: Turn }>;
  write(
    p: Position,
    bytes: Uint8Array,
    waiter: Waiter,
  ): Task<{ readonly count: number; readonly next: number; readonly turn?: Turn }>;
  attributes(): Task<Attributes>;
  setAttributes(change: AttributeChange, who: Credentials): Task<void>;
  truncate(sizeBytes: number): Task<void>;
  lock(mode: LockMode, owner: StreamId, waiter: Waiter): Task<void>;
  /** What is ready now; for what is not, the waiter is left. */
  poll(waiter: Waiter): Task<Ready>;
  sync(): Task<void>;
  close(): Task<void>;
  /**
   * This use goes on at another host: like a close that the server is not told of. An object without it does not move.
   *
   * @throws what keeps it here: then nothing has changed
   */
  depart?(): Task<void>;
  /** What the target's half of its kind wants to know. */
  movable?(): Plain;
}

/** One reference to a stream, about to leave. Plain: it travels with its process. */
export interface Movable {
  readonly ref: ObjectRef;
  readonly how: OpenHow;
  readonly streamId: StreamId;
  readonly source: HostId;
  /** Names this reference at the source; good once. */
  readonly ticket: number;
  /** When it was described: what counts is what the source says at the release. */
  readonly offset: number;
  readonly extra: Plain;
}

/** Where a stream stands that has come here: at an offset of its own, or at one that an I/O server holds. */
export interface StreamPlace {
  readonly offset: number;
  /** Whom to ask about the stream; null when no server knows of streams. */
  readonly server: HostId | null;
  readonly shared: Sharing | null;
}
export interface Sharing {
  readonly turn: number;
  readonly sharers: readonly HostId[];
}

/** One reference on its way, as the board at the I/O server sees it. */
export interface Move {
  readonly movable: Movable;
  readonly to: HostId;
  /** The target uses the stream already: it gets no second use. */
  readonly joins: boolean;
  /** False when the target has died since it asked: no use is to be entered for it. */
  targetLives(): boolean;
  /**
   * Fetches the reference from the source; to be called once. True: the source uses the stream no more, and its use at
   * this server is to go, whatever comes of the target's.
   *
   * @throws KernelError `peerDown`: the source is dead; `stale`: it has no such reference
   */
  release(): Task<boolean>;
}

/** What a board does for the streams of its kind, a protocol for its files, when they move. */
export interface Mover {
  /** At the target: has the reference handed over, and makes the open object. */
  adopt?(m: Movable): Task<{ readonly object: OpenObject; readonly place: StreamPlace }>;
  /**
   * At the I/O server: the target's use replaces the source's, or joins it. Must not wait for anything that waits for an
   * operation at a shared offset.
   *
   * @returns the kind's own bytes, for its `adopt`; none when the target joins
   * @throws KernelError `stale`: the source's use is not known here; others as for an open
   */
  move?(m: Move): Task<Uint8Array>;
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
  /**
   * Source: a reference that is to leave. Changes nothing; until it is fetched or withdrawn it is neither used nor closed.
   *
   * @throws KernelError `unsupported`: its kind does not move, or cannot share an offset and others use the stream here
   */
  describe(s: Stream): Movable;
  /** Source: the move is off. True: the reference is still here; false: it has left. */
  withdraw(m: Movable): boolean;
  /**
   * Target: fetches the reference; it joins a stream of that id that is here. When the thread is killed meanwhile, the
   * adoption goes on without it, and the reference is closed.
   *
   * @throws KernelError `peerDown`, `stale`, `unsupported`, what the kind's `move` throws. The reference has left, or
   * `withdraw` says that it has not
   */
  adopt(m: Movable): Task<Stream>;
  /** For a kind's `adopt`: the host that does the I/O fetches the reference and runs the kind's `move`. */
  handOver(server: HostId, m: Movable): Task<{ readonly place: StreamPlace; readonly granted: Uint8Array }>;
  /** For a kind whose servers know nothing of streams: fetches the only reference straight from the source. */
  fetch(m: Movable): Task<StreamPlace>;
  /**
   * At the I/O server: an operation at the offset that hosts share, one at a time.
   *
   * @throws KernelError `recovering`: it is not known here (any more) that this host shares it, which has to say so first
   */
  atShared<T extends { readonly next: number }>(
    id: StreamId,
    by: HostId,
    operation: (offset: number) => Task<T>,
  ): Task<{ readonly result: T; readonly turn: Turn }>;
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
export interface FileProtocol extends Mover {
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

/** Slot `objects` (many): one kind of open object. The kind "file" is each protocol's own. */
export interface ObjectKind extends Mover {
  readonly kind: string;
  /** Both ends of a fresh object without a name, where the kind has such objects. */
  pair?(): { readonly read: OpenObject; readonly write: OpenObject };
  /** The I/O half of an open that another protocol's name half found. */
  open(e: Elsewhere, how: OpenHow, who: Credentials): Task<OpenObject>;
}
