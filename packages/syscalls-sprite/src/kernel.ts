/**
 * The entry into the kernel: a call is executed on behalf of a process, its trap is charged, and what it charged is
 * settled before the program goes on, so that nothing is owed from one call to the next.
 */
import { charge, type Scope, settle, type Task, tasks } from '@backplane/engine';
import { Descriptors } from '@backplane/file-service';
import {
  Busy,
  type Credentials,
  type Machine,
  type NameView,
  type Naming,
  type Stream,
  type Streams,
  type Vm,
} from '@backplane/slots';
import type { CallName, CallTable } from './call-table.ts';
import { fileCalls } from './file-calls.ts';
import { Process } from './process.ts';
import { processCalls } from './process-calls.ts';
import { ProcessTable } from './process-table.ts';

export type Handlers = {
  readonly [K in CallName]: (p: Process, argument: CallTable[K]['in']) => Task<CallTable[K]['out']>;
};

export class Kernel {
  static {
    tasks(Kernel);
  }

  readonly streams: Streams;
  readonly machine: Machine;
  readonly processes: ProcessTable;
  readonly #naming: Naming;
  readonly #vm: Vm;
  readonly #descriptorsMax: number;
  readonly #handlers: Handlers;
  #calls = 0;

  constructor(naming: Naming, streams: Streams, vm: Vm, machine: Machine, descriptorsMax: number) {
    this.streams = streams;
    this.machine = machine;
    this.processes = new ProcessTable(machine.host);
    this.#naming = naming;
    this.#vm = vm;
    this.#descriptorsMax = descriptorsMax;
    this.#handlers = { ...fileCalls(this), ...processCalls(this) };
    machine.metrics.register('syscalls.calls', () => this.#calls);
  }

  *execute<K extends CallName>(p: Process, call: K, argument: CallTable[K]['in']): Task<CallTable[K]['out']> {
    this.#calls++;
    charge(this.machine.type.costs.trapNs, Busy.kernel);
    try {
      return yield* this.#handlers[call](p, argument);
    } finally {
      yield* settle();
    }
  }

  /** A process that does not run yet. */
  createProcess(
    name: string,
    o: {
      readonly parent: Process | null;
      readonly view?: NameView;
      readonly who: Credentials;
      readonly umask: number;
    },
  ): Process {
    return this.processes.add((id) => {
      const scope: Scope = this.machine.scope.child(name);
      return new Process({
        id,
        name,
        scope,
        descriptors: new Descriptors<Stream>(this.#descriptorsMax),
        view: o.view ?? this.#naming.view(),
        memory: this.#vm.space(name),
        parent: o.parent,
        who: o.who,
        umask: o.umask,
      });
    });
  }
}
