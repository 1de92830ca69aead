/**
 * Slot `ipc`: V's interprocess communication, which programs hold themselves: Send, Receive, Reply, Forward, MoveTo, MoveFrom.
 *
 * A process is an entity. It sends a message and is blocked until somebody replies; who receives it may reply at once or
 * later, or pass it on. A server works in one of two ways, which its clients cannot tell apart:
 *
 *   message model     requests wait in line, by priority and then by arrival, until the process receives the next one
 *   procedure model   each request runs a procedure on a thread of its own, at once, up to a limit; more wait in line
 *
 * - Location does not show: a message to a process of this host costs less, and nothing else is different.
 * - A process dies with its scope, or by `destroy`; its thread is cancelled. Who waits for its reply, or waits in line, gets `nonexistentEntity`;
 *   nobody tells servers that a client died: they ask (`probe`).
 * - A frozen process sends and receives nothing; who sends to it waits.
 * - Outcomes are codes in the reply (`ReplyCode`), never exceptions. Misuse by a server (a reply to somebody who does not
 *   wait for it) is an outcome too, since programs do it.
 *
 * Segments. A sender may grant one range of its memory, in its message (`SegmentGrant`): readable, writable, or both. Until
 * the reply, and only then, the receiver may move bytes there and from there. Each move is checked: the other one awaits
 * our reply, the range lies within the grant, the right was given; else `noPermission` and nothing is moved.
 *
 * Lost in a crash: everything.
 */
import type { Scope, Task } from '@backplane/engine';
import type { AddressSpace } from './address-space.ts';
import type { EntityId, Message, Probed, Response } from './entities.ts';
import type { Undo } from './vocabulary.ts';

/**
 * A range of the sender's memory that the receiver may use until it replies. It travels in the request, which then has
 * the bit `grantBit` in its code: word 3 is the rights (1 read, 2 write; its upper 24 bits are the kernels'), word 4 the
 * address, word 5 the bytes. Who forwards a changed message keeps these words.
 */
export interface SegmentGrant {
  readonly read: boolean;
  readonly write: boolean;
  readonly address: number;
  readonly bytes: number;
}

/** In the code of a request: it grants a segment. Codes of services leave it alone. */
export const grantBit = 0x80_0000;

export interface ProcessSendOptions {
  readonly timeoutNs?: number;
  readonly grant?: SegmentGrant;
}

/** A request that a process has received and not yet replied to. */
export interface Received {
  readonly from: EntityId;
  /** The process, or the group through which it came. */
  readonly to: EntityId;
  readonly message: Message;
  /** In the message; null when it grants nothing. */
  readonly grant: SegmentGrant | null;
}

/** How one process is made. */
export interface ProcessDescription {
  readonly name: string;
  /** It dies with this scope. */
  readonly scope: Scope;
  /** What grants and moves refer to; null: it has no memory of its own, and grants nothing. */
  readonly space: AddressSpace | null;
}

/** How a procedure answers: with a message, or not at all. */
export type MessageProcedure = (request: Received) => Task<Message | 'discard'>;

/** A process between two hosts: what its kernel knows of it. */
export interface MovingProcess {
  /** For the target's kernel, by message. */
  readonly state: Uint8Array;
  /** The process itself with its threads: what a native program has instead of registers and a stack. */
  readonly process: IpcProcess;
}

/** One process, as it sees itself. Each call is made on the process's own thread unless it says otherwise. */
export interface IpcProcess {
  readonly id: EntityId;
  /** The owner's slot: whatever a run-time library hangs on its processes. It moves with the process. */
  local: unknown;
  /** Blocks until the reply, of a group until the first. The reply takes the place of the message, as in V. */
  send(to: EntityId, message: Message, options?: ProcessSendOptions): Task<Response>;
  /** A further reply to the last group send; undefined when none came in that time. */
  nextReply(waitNs: number): Task<Response | undefined>;
  /** The next request in line. */
  receive(): Task<Received>;
  /** The next request of this process; `nonexistentEntity` when there is no such process, or it dies while we wait. */
  receiveFrom(from: EntityId): Task<Received | 'nonexistentEntity'>;
  /** Unblocks the sender. `nonexistentEntity` when nobody waits for it any more. */
  reply(request: Received, message: Message): Task<number>;
  /** No reply: only a group's sender can do without. Returns a `ReplyCode`. */
  discard(request: Received): number;
  /**
   * The sender now waits for the reply of `to`. Returns a `ReplyCode`: `noPermission` where it may not be done (see
   * `ArrivedRequest.forward`), and then the request is still to be answered.
   */
  forward(request: Received, to: EntityId, message: Message): Task<number>;
  /** From the sender's granted memory into ours. Returns a `ReplyCode`. */
  moveFrom(request: Received, from: number, to: number, bytes: number): Task<number>;
  /** From our memory into what the sender granted. Returns a `ReplyCode`. */
  moveTo(request: Received, to: number, from: number, bytes: number): Task<number>;
  /** The same with bytes that are not in our memory. */
  moveBytesTo(request: Received, to: number, bytes: Uint8Array): Task<number>;
  moveBytesFrom(request: Received, from: number, bytes: number): Task<Uint8Array | number>;
  /** From now on requests run this procedure; `receive` is no longer possible. */
  serve(procedure: MessageProcedure, options?: { readonly concurrent?: number }): void;
  join(group: EntityId): Undo;
  /** Ends it. From any thread. */
  destroy(): void;
  /** Stops it from sending and receiving, and lets it go on. From any thread. */
  freeze(): void;
  unfreeze(): void;
}

export interface Ipc {
  create(description: ProcessDescription): IpcProcess;
  /** The process of this number, if it is on this host. */
  find(id: EntityId): IpcProcess | undefined;
  mintGroup(): EntityId;
  wellKnownGroup(number: number): EntityId;
  /** Is it alive, wherever it is? For servers that clean up after clients. */
  probe(id: EntityId): Task<Probed>;
  /**
   * Takes a frozen process away from this host, with its number, its groups, the messages that it has, and those that it
   * waits for; it stays frozen. Threads of its scope are to be adopted by who installs it.
   *
   * @returns 'busy' while a move of bytes in or out of its memory is under way
   * @throws KernelError `unsupported` where the transport cannot; `badArgument` unless it is here and frozen
   */
  extract(id: EntityId): MovingProcess | 'busy';
  /** The process is of this host from now on, still frozen. @throws KernelError `badArgument` for a state that is none */
  install(m: MovingProcess, where: { readonly scope: Scope; readonly space: AddressSpace | null }): void;
  /** Tells of each process that has been installed here. */
  onArrival(listener: (p: IpcProcess) => void): Undo;
}
