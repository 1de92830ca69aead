/**
 * A process: its descriptor, and what it does as its own program sees it (Cheriton 1988, section on interprocess
 * communication; "awaiting reply", "receive specific" and the rest are V's names for the states).
 *
 *   state               event                                      action                                 next
 *   ready               send, receiver not receiving               into its line (`queue`)                send blocked
 *   ready               send, receiver receiving                   hand it over, wake the receiver        awaiting reply
 *   ready               send to another host or a group            the transport's transaction            awaiting reply
 *   send blocked        the receiver takes the message             into its received ones (`open`)        awaiting reply
 *   send blocked        receiver dies                              nonexistentEntity                      ready
 *   awaiting reply      reply                                      the response is handed over            ready
 *   awaiting reply      forwarded to one of this host              into its line, or handed over          send blocked, awaiting
 *   awaiting reply      forwarded to another host                  the transport's transaction            awaiting reply
 *   awaiting reply      replier dies                               nonexistentEntity                      ready
 *   either              own time limit                             the request is withdrawn; userTimeout  ready
 *   ready               receive, nobody in line                    wait (`arrivals`)                      receive blocked
 *   ready               receiveFrom p, nothing of p in line        wait, `wanted` = p                     receive specific
 *   receive blocked     a message arrives                          take it                                ready
 *   receive specific    a message of p                             take it                                ready
 *   receive specific    another message                            into the line                          receive specific
 *   receive specific    p dies                                     nonexistentEntity                      ready
 *   ready               move                                       count it at the granter (`moves`)      moving
 *   moving              done, or it failed                         count it off                           ready
 *   any                 destroy, or the scope's end                all who wait are told (death.ts)       dead
 *
 * Over all states lies a flag, frozen: what the process is in the middle of stays as it is. It takes nothing from its
 * line; a primitive that it calls, or from which it would return, waits until it is thawed; local senders wait beside
 * the line (`held`) and join it then; the transport is told to keep the others waiting.
 *
 * The state is where things are: `sent` is in the line of the receiver or among its received ones, `awaits` names who
 * may answer, `arrivals` has a thread in it. A response or a request handed over to a thread that has just been struck
 * by its own time limit or a cancellation finds nobody waiting, and is then not handed over.
 *
 * A dead process runs no primitive: a thread in one of them, or that calls one, is cancelled as a thread of V's would
 * be destroyed with its process. (Its `finally` blocks run, and get codes that say that the process is gone.)
 */
import {
  currentThread,
  Gate,
  type Scope,
  sleep,
  type Task,
  type Thread,
  tasks,
  WaitQueue,
} from '@backplane/engine';
import type {
  AddressSpace,
  EntityId,
  IpcProcess,
  Message,
  MessageProcedure,
  ProcessDescription,
  ProcessSendOptions,
  Received,
  Response,
  SegmentGrant,
  Undo,
} from '@backplane/slots';
import { discard, forward, reply } from './answer.ts';
import { freeze, unfreeze } from './freezing.ts';
import type { Move } from './granted.ts';
import type { VIpc } from './ipc.ts';
import { moveBytesFrom, moveBytesTo, moveFrom, moveTo } from './move.ts';
import { receive, receiveFrom } from './receive.ts';
import { type Request, RequestList } from './request.ts';
import { nextReply, send } from './send.ts';
import { serve } from './serve.ts';
import type { Outcome } from './waiting.ts';

export class Process implements IpcProcess {
  static {
    tasks(Process);
  }

  readonly id: EntityId;
  readonly name: string;
  /** Of the host where it is now; so are the next two. */
  ipc: VIpc;
  /** Times that it has come to a host. */
  journeys = 0;
  space: AddressSpace | null;
  /** Within the scope of its description: threads that run its procedure. */
  scope: Scope;
  local: unknown = undefined;

  // ---- as a receiver ----
  /** The line. */
  readonly queue: RequestList = new RequestList();
  /** Local requests that came while it was frozen. */
  readonly held: RequestList = new RequestList();
  /** Received, and not yet answered. */
  readonly open: RequestList = new RequestList();
  /** About to be forwarded to another host, with their grants: not to be answered by us, as long as we live. */
  readonly leaving: RequestList = new RequestList();
  /** Received or in line, from senders that have come to be on other hosts since (expected.ts). */
  readonly expecting: Set<Request> = new Set();
  /** The thread that receives; 'nonexistentEntity' when the wanted one has died. */
  readonly arrivals: WaitQueue<Request | 'nonexistentEntity'> = new WaitQueue();
  /** Whose message it waits for, if not for anybody's. */
  wanted: EntityId | null = null;

  // ---- as a server whose requests run a procedure ----
  /** Starts a thread for a request. */
  procedure: ((r: Request) => void) | null = null;
  concurrent = 0;
  running = 0;

  // ---- as a sender ----
  /** A thread is in `send`; others of this process take turns. */
  sending = false;
  readonly turns: WaitQueue<true> = new WaitQueue();
  /** Its request to a process of this host. */
  sent: Request | null = null;
  /** A procedure has answered that at once, without waiting for anything: as if we had run it ourselves. */
  onBehalf = false;
  /** Who may answer it, and so may move bytes: the process that has received it, or whom the transport was given. */
  awaits: EntityId | null = null;
  /** What it granted in the request that it awaits the reply of. */
  grant: SegmentGrant | null = null;
  /** How many it has granted in its life. */
  grants = 0;
  readonly replies: WaitQueue<Outcome> = new WaitQueue();
  /** Its last send was to a group, so there may be more replies. */
  toGroup = false;

  // ---- moves ----
  /** By others, in and out of its memory, under way. It does not return from `send` before they are over. */
  moves = 0;
  readonly movesOver: WaitQueue = new WaitQueue();
  /** Its own, in and out of the memory of others of this host. */
  readonly moving: Set<Move> = new Set();

  /** Answers of its threads, and questions to memory managers, under way: they do not move. */
  asking = 0;

  // ---- life ----
  /** It does nothing, and ends with the scope. */
  life: Thread | null = null;
  /** And how it leaves them again. */
  readonly groups: Map<EntityId, Undo> = new Map();
  /** While it is between two hosts: its requests by the place that their transport gave them. */
  carried: readonly (readonly [Request, number])[] = [];
  frozen = false;
  dead = false;
  /** Frozen or dead: the one thing that each primitive looks at. */
  stopped = false;
  readonly thaw: Gate = new Gate(true);
  /** Its threads that wait in the transport, or for another process to thaw. */
  readonly elsewhere: Set<Thread> = new Set();
  detach: Undo = () => {};

  constructor(ipc: VIpc, id: EntityId, { name, scope, space }: ProcessDescription) {
    this.ipc = ipc;
    this.id = id;
    this.name = name;
    this.space = space;
    this.scope = scope.child(name);
  }

  /** What a primitive of a stopped process waits for. False: it is dead, and who runs on is cleaning up. */
  *lives(): Task<boolean> {
    while (this.frozen && !this.dead) yield* this.thaw.pass();
    if (!this.dead) return true;
    currentThread().cancel(); // strikes at the sleep
    yield* sleep(0);
    return false;
  }

  send(to: EntityId, message: Message, options?: ProcessSendOptions): Task<Response> {
    return send(this, to, message, options);
  }

  nextReply(waitNs: number): Task<Response | undefined> {
    return nextReply(this, waitNs);
  }

  receive(): Task<Received> {
    return receive(this);
  }

  receiveFrom(from: EntityId): Task<Received | 'nonexistentEntity'> {
    return receiveFrom(this, from);
  }

  reply(request: Received, message: Message): Task<number> {
    return reply(this, request, message);
  }

  discard(request: Received): number {
    return discard(this, request);
  }

  forward(request: Received, to: EntityId, message: Message): Task<number> {
    return forward(this, request, to, message);
  }

  moveFrom(request: Received, from: number, to: number, bytes: number): Task<number> {
    return moveFrom(this, request, from, to, bytes);
  }

  moveTo(request: Received, to: number, from: number, bytes: number): Task<number> {
    return moveTo(this, request, to, from, bytes);
  }

  moveBytesTo(request: Received, to: number, bytes: Uint8Array): Task<number> {
    return moveBytesTo(this, request, to, bytes);
  }

  moveBytesFrom(request: Received, from: number, bytes: number): Task<Uint8Array | number> {
    return moveBytesFrom(this, request, from, bytes);
  }

  serve(procedure: MessageProcedure, options: { readonly concurrent?: number } = {}): void {
    serve(this, procedure, options.concurrent ?? this.ipc.limits.concurrent);
  }

  join(group: EntityId): Undo {
    if (this.dead) return () => {};
    const leave = this.ipc.entities.join(group, this.id);
    this.groups.set(group, leave);
    return () => {
      // Where it is now: it may have moved since.
      this.groups.get(group)?.();
      this.groups.delete(group);
    };
  }

  destroy(): void {
    this.ipc.end(this);
  }

  freeze(): void {
    freeze(this);
  }

  unfreeze(): void {
    unfreeze(this);
  }
}
