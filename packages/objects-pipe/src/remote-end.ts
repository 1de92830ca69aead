/**
 * One end of a pipe on another host than the pipe's: every operation is a call. Who would block there leaves a waiter
 * that is woken across the network. When the host of the pipe dies, everybody who waits is woken here, to find that the
 * pipe is lost.
 */
import { charge, type Task, tasks } from '@backplane/engine';
import {
  type Attributes,
  Busy,
  type HostId,
  isKernelError,
  KernelError,
  type Machine,
  type ObjectRef,
  type OpenHow,
  type OpenObject,
  type Position,
  type Procedure,
  type Ready,
  type Streams,
  type Traits,
  type Transport,
  type Undo,
  type Waiter,
} from '@backplane/slots';
import { bufferBytes, type End } from './pipe.ts';
import { attributesOf, endOf, howOf, makerOf, type PipeId, pipeTraits } from './pipe-id.ts';
import { pipeClose, pipePoll, pipeRead, pipeUsed, pipeWrite, type Which } from './procedures.ts';

export interface RemoteEndParts {
  readonly machine: Machine;
  readonly transport: Transport;
  readonly streams: Streams;
}

export class RemoteEnd implements OpenObject {
  static {
    tasks(RemoteEnd);
  }

  readonly ref: ObjectRef;
  readonly how: OpenHow;
  readonly traits: Traits = pipeTraits;
  readonly host: HostId;
  readonly #parts: RemoteEndParts;
  readonly #id: PipeId;
  readonly #which: Which;
  readonly #ended: (e: RemoteEnd) => void;
  readonly #unwatch: Undo;
  /** Left at the pipe and not known to have been woken. */
  readonly #waiters = new Set<Waiter>();
  #lost = false;

  /** @param ended tells the board that this end is closed or gone */
  constructor(
    parts: RemoteEndParts,
    ref: ObjectRef,
    id: PipeId,
    how: OpenHow,
    ended: (e: RemoteEnd) => void,
  ) {
    const end: End = endOf(how);
    this.#parts = parts;
    this.#id = id;
    this.#which = { boot: id.boot, number: id.number, end };
    this.#ended = ended;
    this.ref = ref;
    this.how = howOf(end);
    this.host = makerOf(ref);
    this.#unwatch = parts.transport.peers.watch(this.host);
  }

  *read(
    _: Position,
    count: number,
    waiter: Waiter,
  ): Task<{ readonly bytes: Uint8Array; readonly next: number }> {
    const asked = Math.min(count, bufferBytes);
    const { data } = yield* this.#attempt(
      pipeRead,
      { ...this.#which, count: asked, ticket: waiter.ticket },
      waiter,
    );
    this.#chargeCopy(data.length);
    return { bytes: data, next: 0 };
  }

  *write(
    _: Position,
    bytes: Uint8Array,
    waiter: Waiter,
  ): Task<{ readonly count: number; readonly next: number }> {
    const data = bytes.length <= bufferBytes ? bytes : bytes.subarray(0, bufferBytes);
    const record = { ...this.#which, wanted: bytes.length, ticket: waiter.ticket };
    this.#chargeCopy(data.length);
    return { count: yield* this.#attempt(pipeWrite, { record, data }, waiter), next: 0 };
  }

  /** What succeeds changes the pipe, and so wakes all who waited before; a poll only tells. */
  *#attempt<Q, R>(procedure: Procedure<Q, R>, request: NoInfer<Q>, waiter: Waiter): Task<R> {
    const before = [...this.#waiters];
    try {
      const result = yield* this.#call(procedure, request);
      for (const w of before) this.#waiters.delete(w);
      return result;
    } catch (e) {
      if (isKernelError(e, 'wouldBlock')) this.#waits(waiter);
      throw e;
    }
  }

  /** @throws KernelError `objectLost` when the pipe's host has died: what waits is not woken from there any more */
  #waits(waiter: Waiter): void {
    if (this.#lost) throw new KernelError('objectLost', 'the host of the pipe has died');
    this.#waiters.add(waiter);
  }

  *attributes(): Task<Attributes> {
    return attributesOf(this.ref, this.#id, yield* this.#call(pipeUsed, this.#which));
  }

  *setAttributes(): Task<void> {
    throw new KernelError('unsupported', 'a pipe has no attributes to set');
  }

  *truncate(): Task<void> {
    throw new KernelError('badArgument', 'a pipe has no size to set');
  }

  *lock(): Task<void> {
    throw new KernelError('unsupported', 'a pipe has no lock');
  }

  /** A pipe that is lost is ready: for the error. */
  *poll(waiter: Waiter): Task<Ready> {
    try {
      const ready = yield* this.#call(pipePoll, { ...this.#which, ticket: waiter.ticket });
      if (!ready.read && !ready.write) this.#waits(waiter);
      return ready;
    } catch (e) {
      if (!isKernelError(e, 'objectLost')) throw e;
      return { read: true, write: true, exception: true };
    }
  }

  *sync(): Task<void> {
    throw new KernelError('badArgument', 'a pipe is not stored');
  }

  *close(): Task<void> {
    this.#end();
    try {
      yield* this.#parts.transport.call(this.host, pipeClose, this.#which);
    } catch (e) {
      // Its host has died, or thinks that we have: either way the end is closed.
      if (!isKernelError(e)) throw e;
    }
  }

  *depart(): Task<void> {
    this.#end();
  }

  /** The host of the pipe has died, and the pipe with it. */
  lost(): void {
    this.#lost = true;
    for (const w of this.#waiters) this.#parts.streams.wake(w);
    this.#waiters.clear();
  }

  #end(): void {
    this.#unwatch();
    this.#ended(this);
  }

  /** A silent host is a dead one. */
  *#call<Q, R>(procedure: Procedure<Q, R>, request: NoInfer<Q>): Task<R> {
    if (this.#lost) throw new KernelError('objectLost', 'the host of the pipe has died');
    try {
      return yield* this.#parts.transport.call(this.host, procedure, request);
    } catch (e) {
      if (!isKernelError(e, 'peerDown') && !isKernelError(e, 'stale')) throw e;
      throw new KernelError('objectLost', e.message);
    }
  }

  #chargeCopy(bytes: number): void {
    charge(Math.round(this.#parts.machine.type.costs.copyNsPerByte * bytes), Busy.files);
  }
}
