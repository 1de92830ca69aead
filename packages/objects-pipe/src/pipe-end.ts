/** One end of a pipe as an open object, on the host that made the pipe. */
import { charge, type Task } from '@backplane/engine';
import {
  type Attributes,
  Busy,
  KernelError,
  type Machine,
  type ObjectRef,
  type OpenHow,
  type OpenObject,
  type Position,
  type Ready,
  type Traits,
  type Waiter,
} from '@backplane/slots';
import type { End, Pipe } from './pipe.ts';
import { attributesOf, howOf, type PipeId, pipeTraits, refOf } from './pipe-id.ts';

export class PipeEnd implements OpenObject {
  readonly ref: ObjectRef;
  readonly how: OpenHow;
  readonly traits: Traits = pipeTraits;
  readonly #pipe: Pipe;
  readonly #end: End;
  readonly #machine: Machine;
  readonly #id: PipeId;
  /** It is closed here. */
  readonly #left: () => void;

  constructor(pipe: Pipe, id: PipeId, end: End, machine: Machine, left: () => void) {
    this.#pipe = pipe;
    this.#id = id;
    this.#end = end;
    this.#machine = machine;
    this.#left = left;
    this.ref = refOf(machine.host, id);
    this.how = howOf(end);
  }

  *read(
    _: Position,
    count: number,
    waiter: Waiter,
  ): Task<{ readonly bytes: Uint8Array; readonly next: number }> {
    const bytes = this.#pipe.read(count, waiter);
    this.#chargeCopy(bytes.length);
    return { bytes, next: 0 };
  }

  *write(
    _: Position,
    bytes: Uint8Array,
    waiter: Waiter,
  ): Task<{ readonly count: number; readonly next: number }> {
    const count = this.#pipe.write(bytes, waiter);
    this.#chargeCopy(count);
    return { count, next: 0 };
  }

  *attributes(): Task<Attributes> {
    return attributesOf(this.ref, this.#id, this.#pipe.usedBytes);
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

  *poll(waiter: Waiter): Task<Ready> {
    return this.#pipe.poll(this.#end, waiter);
  }

  *sync(): Task<void> {
    throw new KernelError('badArgument', 'a pipe is not stored');
  }

  *close(): Task<void> {
    this.#left();
  }

  /** The pipe stays where it is: its board counts who has which end. */
  *depart(): Task<void> {}

  #chargeCopy(bytes: number): void {
    charge(Math.round(this.#machine.type.costs.copyNsPerByte * bytes), Busy.files);
  }
}
