/**
 * A process as the process server knows it.
 *
 *   state    event                     action                                               next
 *   new      start                     its thread goes on                                   running
 *   running  freeze                    it sends and receives nothing, and computes nothing  frozen
 *   frozen   unfreeze                  it goes on where it was                              running
 *   frozen   depart                    all of it goes to another host's process server      frozen, there
 *   any      its text returns          note the status                                      ended
 *   any      destroy, its space's end  cancel its thread; status `destroyedStatus`          ended
 *
 * An ended process is forgotten; those who awaited its end have been told.
 */
import { type Scope, type Thread, WaitQueue } from '@backplane/engine';
import type { HostId, IpcProcess, NativeText, Scheduler } from '@backplane/slots';
import { type ProcessState, priorityOf } from '@backplane/v-operations';
import type { FaultingMemory } from './faulting-memory.ts';

/** The status of who was not asked. */
const destroyedStatus = -1;

const stopped = priorityOf('stop');

/** Ends it: also from its own thread, whichever host that is on by then. */
export interface Home {
  readonly host: HostId;
  destroy(d: Descriptor): void;
  end(d: Descriptor, status: number): void;
}

export class Descriptor {
  readonly name: string;
  readonly process: IpcProcess;
  readonly text: NativeText;
  readonly argument: number;
  readonly memory: FaultingMemory | null;
  /** Who has it: its host's process server. This and the next three change when it moves. */
  home: Home;
  /** What it is made of dies with this. */
  scope: Scope;
  /** Number of its address space; 0: none. */
  space: number;
  scheduler: Scheduler;
  /** Told the status, or that it has left. */
  readonly ended: WaitQueue<number | 'departed'> = new WaitQueue();
  /** Its one thread. */
  thread: Thread | null = null;
  state: ProcessState = 'new';
  status: number = destroyedStatus;
  #priority: number;

  constructor(
    home: Home,
    o: {
      readonly scheduler: Scheduler;
      readonly name: string;
      readonly process: IpcProcess;
      readonly scope: Scope;
      readonly space: number;
      readonly memory: FaultingMemory | null;
      readonly text: NativeText;
      readonly argument: number;
      readonly priority: number;
    },
  ) {
    this.home = home;
    this.scheduler = o.scheduler;
    this.name = o.name;
    this.process = o.process;
    this.scope = o.scope;
    this.space = o.space;
    this.memory = o.memory;
    this.text = o.text;
    this.argument = o.argument;
    this.#priority = o.priority;
  }

  get priority(): number {
    return this.#priority;
  }

  /** While it is frozen it keeps that of a process that never runs. */
  set priority(priority: number) {
    this.#priority = priority;
    if (this.state !== 'frozen') this.schedule();
  }

  schedule(): void {
    if (this.thread !== null)
      this.scheduler.setPriority(this.thread, this.state === 'frozen' ? stopped : this.#priority);
  }
}
