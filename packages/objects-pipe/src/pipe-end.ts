/** One end of a pipe as an open object. */
import { charge, type Task } from '@backplane/engine';
import {
  type Attributes,
  authority,
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
import { bufferBytes, type Pipe } from './pipe.ts';

export class PipeEnd implements OpenObject {
  readonly ref: ObjectRef;
  readonly how: OpenHow;
  readonly traits: Traits = {
    blockBytes: bufferBytes,
    seekable: false,
    sharedOffset: true,
    afterCrash: 'lost',
  };
  readonly #pipe: Pipe;
  readonly #end: 'read' | 'write';
  readonly #machine: Machine;
  readonly #identity: string;
  readonly #madeNs: number;

  constructor(pipe: Pipe, end: 'read' | 'write', machine: Machine, number: number) {
    this.#pipe = pipe;
    this.#end = end;
    this.#machine = machine;
    this.#identity = `${machine.host}:pipe${machine.bootId}.${number}`;
    this.#madeNs = machine.engine.nowNs;
    this.ref = { kind: 'pipe', protocol: 'pipe', authority: authority(String(machine.host)), id: number };
    this.how = end === 'read' ? { read: true } : { write: true };
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
    return {
      type: 'namedPipe',
      sizeBytes: this.#pipe.usedBytes,
      links: 0,
      mode: 0o600,
      uid: 0,
      gid: 0,
      version: 0,
      modifyNs: this.#madeNs,
      changeNs: this.#madeNs,
      accessNs: this.#madeNs,
      identity: this.#identity,
    };
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
    this.#pipe.closeEnd(this.#end);
  }

  #chargeCopy(bytes: number): void {
    charge(Math.round(this.#machine.type.costs.copyNsPerByte * bytes), Busy.files);
  }
}
