/** A process as its own code has it. */
import { type Task, tasks, WaitQueue } from '@backplane/engine';
import type { AddressSpace, HostId, IpcProcess, NativeSelf } from '@backplane/slots';
import type { Descriptor } from './descriptor.ts';

export class Self implements NativeSelf {
  static {
    tasks(Self);
  }

  readonly process: IpcProcess;
  readonly memory: AddressSpace | null;
  readonly argument: number;
  readonly #descriptor: Descriptor;

  constructor(d: Descriptor) {
    this.process = d.process;
    this.memory = d.memory;
    this.argument = d.argument;
    this.#descriptor = d;
  }

  get host(): HostId {
    return this.#descriptor.home.host;
  }

  *exit(status: number): Task<never> {
    const d = this.#descriptor;
    d.home.end(d, status);
    const never = new WaitQueue();
    for (;;) yield* never.wait();
  }
}
