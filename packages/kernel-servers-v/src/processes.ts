/**
 * The processes that the process server has made on this host: descriptors with a thread. It knows neither programs nor who
 * wants what: it allocates, starts, stops and ends.
 */
import { charge, type Task, tasks } from '@backplane/engine';
import {
  Busy,
  type EntityId,
  type HostId,
  type Ipc,
  isKernelError,
  KernelError,
  type Machine,
  type Scheduler,
  wellKnown,
} from '@backplane/slots';
import { Descriptor } from './descriptor.ts';
import { FaultingMemory } from './faulting-memory.ts';
import { arriving, departing } from './moving-state.ts';
import { raise } from './raise.ts';
import { Self } from './self.ts';
import type { Spaces } from './spaces.ts';

/** The status of a program that gave up. */
const failedStatus = 1;

export interface NewProcess {
  readonly name: string;
  /** 0: none. */
  readonly space: number;
  readonly text: number;
  readonly argument: number;
  readonly priority: number;
}

export class Processes {
  static {
    tasks(Processes);
  }

  readonly #ipc: Ipc;
  readonly #scheduler: Scheduler;
  readonly #machine: Machine;
  readonly #spaces: Spaces;
  readonly #exceptionServers: EntityId;
  readonly #descriptors = new Map<EntityId, Descriptor>();
  #created = 0;
  readonly host: HostId;

  constructor(ipc: Ipc, scheduler: Scheduler, machine: Machine, spaces: Spaces) {
    this.#ipc = ipc;
    this.host = machine.host;
    this.#scheduler = scheduler;
    this.#machine = machine;
    this.#spaces = spaces;
    this.#exceptionServers = ipc.wellKnownGroup(wellKnown.exceptionServers);
    machine.metrics.register('v.processes', () => this.#descriptors.size);
    machine.metrics.register('v.processesCreated', () => this.#created);
  }

  /** @throws KernelError `noProcess` */
  get(id: EntityId): Descriptor {
    const d = this.#descriptors.get(id);
    if (d === undefined) throw new KernelError('noProcess', id);
    return d;
  }

  /** Those of one address space. */
  of(space: number): readonly Descriptor[] {
    return [...this.#descriptors.values()].filter((d) => d.space === space);
  }

  /** @throws KernelError `badArgument`: there is no such text, or no such space */
  create(o: NewProcess): Descriptor {
    const text = this.#machine.natives.texts.find(o.text);
    if (text === undefined) throw new KernelError('badArgument', `text ${o.text}`);
    const space = o.space === 0 ? null : this.#spaces.get(o.space).memory;
    charge(this.#machine.type.costs.descriptorCreateNs, Busy.kernel);
    const scope = this.#machine.scope.child(o.name);
    const process = this.#ipc.create({ name: o.name, scope, space });
    const memory = space === null ? null : new FaultingMemory(space, process, this.#exceptionServers);
    const d = new Descriptor(this, { ...o, scheduler: this.#scheduler, text, memory, process, scope });
    this.#descriptors.set(process.id, d);
    this.#created++;
    return d;
  }

  /** @throws KernelError `badArgument` unless it is new */
  start(d: Descriptor): void {
    if (d.state !== 'new') throw new KernelError('badArgument', `${d.name} is ${d.state}`);
    d.state = 'running';
    d.thread = d.scope.spawn(d.name, this.#run(d));
    d.schedule();
  }

  freeze(d: Descriptor): void {
    if (d.state !== 'running') throw new KernelError('badArgument', `${d.name} is ${d.state}`);
    d.state = 'frozen';
    d.process.freeze();
    d.schedule();
  }

  unfreeze(d: Descriptor): void {
    if (d.state !== 'frozen') throw new KernelError('badArgument', `${d.name} is ${d.state}`);
    d.state = 'running';
    d.process.unfreeze();
    d.schedule();
  }

  /** From any thread. */
  destroy(d: Descriptor): void {
    if (d.state === 'ended') return;
    d.state = 'ended';
    this.#descriptors.delete(d.process.id);
    d.process.destroy();
    d.scope.cancel();
    d.ended.wakeAll(d.status);
  }

  // ---- from host to host ----

  /** @throws KernelError `badArgument` unless it is frozen, `busy`, `unsupported` */
  depart(d: Descriptor): Uint8Array {
    if (d.state !== 'frozen') throw new KernelError('badArgument', `${d.name} is ${d.state}`);
    const moving = this.#ipc.extract(d.process.id);
    if (moving === 'busy') throw new KernelError('busy', d.name);
    this.#descriptors.delete(d.process.id);
    const work = d.thread === null ? null : (this.#scheduler.withdraw?.(d.thread) ?? null);
    const number = this.#machine.natives.continuations.add({ descriptor: d, moving, work });
    return departing(number, d, moving.state);
  }

  /** It is gone for good. */
  departed(d: Descriptor): void {
    d.ended.wakeAll('departed');
  }

  /** @throws KernelError `badArgument`: the state of no process, or there is no such space */
  arrive(state: Uint8Array, space: number): Descriptor {
    const { continuation, moving } = arriving(state, this.#machine.natives.continuations);
    const memory = space === 0 ? null : this.#spaces.get(space).memory;
    const d = continuation.descriptor;
    const scope = this.#machine.scope.child(d.name);
    this.#ipc.install({ process: d.process, state: moving }, { scope, space: memory });
    this.#machine.natives.continuations.remove(continuation.number);
    if (d.thread !== null) scope.adopt(d.thread);
    // What is left in the old one belongs to nobody.
    d.scope.crash();
    d.scope = scope;
    d.home = this;
    d.space = space;
    d.scheduler = this.#scheduler;
    if (memory !== null) d.memory?.rebase(memory);
    this.#descriptors.set(d.process.id, d);
    d.schedule();
    // What it was in the middle of computing it goes on with here.
    const { work } = continuation;
    if (work !== null && d.thread !== null)
      this.#scheduler.execute(d.thread, work.ns, work.category, work.paid);
    return d;
  }

  /** From its own thread: another one ends it where it now waits for ever. */
  end(d: Descriptor, status: number): void {
    d.status = status;
    this.#machine.scope.spawn(`exit ${d.name}`, endOf(d));
  }

  *#run(d: Descriptor): Task<void> {
    const { process } = d;
    try {
      d.status = yield* d.text(new Self(d));
    } catch (e) {
      // An error that the program does not handle ends it; a broken invariant ends the run.
      if (!isKernelError(e)) throw e;
      d.status = failedStatus;
      yield* raise(process, this.#exceptionServers, { kind: 'program', address: 0, write: false });
    } finally {
      d.home.destroy(d);
    }
  }
}

function* endOf(d: Descriptor): Task<void> {
  d.home.destroy(d);
}
