/**
 * Carries an operation file out on a cluster. Each process of the file is a native program that takes its operations one
 * after the other from a queue; the driver hands them out in the order of the file, and waits for each unless it ends in
 * "&". So the operations of one process never overlap, and those of two may.
 */
import type { Cluster, ClusterMachine } from '@backplane/chassis';
import { Channel, seconds, sleep, type Task, WaitQueue } from '@backplane/engine';
import { partitionRule } from '@backplane/hw-ethernet';
import { type Calls, isKernelError, type RunningProgram } from '@backplane/slots';
import { whyNot } from './check.ts';
import type { FileOperation, Step, Workload, WorldOperation } from './operation.ts';
import { type Handles, perform } from './perform.ts';
import { posixName } from './posix.ts';
import { Inodes, type Value } from './values.ts';

export interface Performed {
  readonly line: number;
  readonly client: string | null;
  readonly process: string | null;
  readonly op: string;
  /** Virtual seconds. */
  readonly start: number;
  readonly end: number;
  readonly ok: boolean;
  /** POSIX name. */
  readonly error: string | null;
  readonly value: Value;
}

export interface Checked {
  readonly line: number;
  readonly ok: boolean;
  readonly why: string | null;
}

export interface Replayed {
  readonly operations: readonly Performed[];
  readonly conditions: readonly Checked[];
}

interface Job {
  readonly operation: FileOperation;
  readonly place: number;
  readonly step: Extract<Step, { readonly step: 'file' }>;
  startNs: number;
}

/** A process of the file: alive while its machine's boot is. */
interface Process extends Handles {
  readonly queue: Channel<Job>;
  /** Jobs handed to it that have not ended. */
  readonly pending: Set<Job>;
  readonly machine: ClusterMachine;
  readonly boot: number;
}

export class Replay {
  readonly #cluster: Cluster;
  readonly #machines: ReadonlyMap<string, ClusterMachine>;
  readonly #processes = new Map<string, Process>();
  readonly #performed: Performed[] = [];
  readonly #changed = new WaitQueue();
  readonly #inodes = new Inodes();
  readonly #partitions: (() => void)[] = [];
  #pending = 0;

  /** @param clients machines of the clients c1, c2, ... */
  constructor(cluster: Cluster, clients: readonly ClusterMachine[]) {
    this.#cluster = cluster;
    this.#machines = new Map([
      ...cluster.machines.map((m): [string, ClusterMachine] => [m.name, m]),
      ...clients.map((m, i): [string, ClusterMachine] => [`c${i + 1}`, m]),
    ]);
  }

  *run(workload: Workload): Task<Replayed> {
    let place = 0;
    for (const step of workload.steps) {
      if (step.step === 'file') yield* this.#hand(step, place++);
      else if (step.step === 'world') yield* this.#world(step.operation, step.line, place++);
    }
    yield* this.#settled();
    const conditions = yield* this.#check(workload.steps);
    return { operations: [...this.#performed], conditions };
  }

  // ---- operations of processes

  *#hand(step: Extract<Step, { readonly step: 'file' }>, place: number): Task<void> {
    const job: Job = { operation: step.operation, place, step, startNs: this.#nowNs };
    const process = this.#process(step.client, step.process);
    if (process === undefined) {
      this.#note(job, 'ENXIO', null);
      return;
    }
    this.#pending++;
    process.pending.add(job);
    process.queue.send(job);
    if (!step.background) while (process.pending.has(job)) yield* this.#changed.wait();
  }

  /** The process of that name; p1 is made when it is first named, or named again after a crash. */
  #process(client: string, name: string): Process | undefined {
    const machine = this.#machines.get(client);
    if (machine === undefined || machine.state !== 'running') return undefined;
    const key = `${client}.${name}`;
    const known = this.#processes.get(key);
    if (known !== undefined && known.boot === machine.boots) return known;
    if (name !== 'p1' && known === undefined) return undefined;
    const process = this.#newProcess(machine, new Map());
    this.#processes.set(key, process);
    machine.board('systemCalls').start(key, (sys) => this.#serve(sys, key, process));
    return process;
  }

  #newProcess(machine: ClusterMachine, fds: Map<string, number>): Process {
    return { queue: new Channel<Job>(), pending: new Set(), fds, machine, boot: machine.boots };
  }

  /** The program of a process: takes jobs until it is told to exit. */
  *#serve(sys: Calls, key: string, process: Process): Task<number> {
    for (;;) {
      const job = yield* process.queue.receive();
      job.startNs = this.#nowNs;
      const { operation } = job;
      if (operation.op === 'exit') {
        this.#processes.delete(key);
        this.#end(process, job, null, null);
        return 0;
      }
      try {
        const value =
          operation.op === 'fork'
            ? yield* this.#fork(sys, process, job, operation.process)
            : yield* perform(sys, process, operation, this.#inodes);
        this.#end(process, job, null, value);
      } catch (e) {
        if (!isKernelError(e)) throw e;
        this.#end(process, job, posixName(e.kind), null);
      }
    }
  }

  *#fork(sys: Calls, parent: Process, job: Job, name: string): Task<null> {
    const key = `${job.step.client}.${name}`;
    const child = this.#newProcess(parent.machine, new Map(parent.fds));
    this.#processes.set(key, child);
    yield* sys.spawn(key, (own) => this.#serve(own, key, child));
    return null;
  }

  #end(process: Process, job: Job, error: string | null, value: Value): void {
    if (!process.pending.delete(job)) return;
    this.#pending--;
    this.#note(job, error, value);
    this.#changed.wakeAll();
  }

  #note(job: Job, error: string | null, value: Value): void {
    const { line, client, process } = job.step;
    this.#performed[job.place] = {
      line,
      client,
      process,
      op: job.operation.op,
      start: job.startNs / 1e9,
      end: this.#nowNs / 1e9,
      ok: error === null,
      error,
      value,
    };
  }

  // ---- the world

  *#world(o: WorldOperation, line: number, place: number): Task<void> {
    const startNs = this.#nowNs;
    const error = yield* this.#act(o);
    this.#performed[place] = {
      line,
      client: null,
      process: null,
      op: o.op,
      start: startNs / 1e9,
      end: this.#nowNs / 1e9,
      ok: error === null,
      error,
      value: null,
    };
  }

  /** The name of the error, or null. */
  *#act(o: WorldOperation): Task<string | null> {
    switch (o.op) {
      case 'wait':
        yield* sleep(seconds(o.seconds));
        return null;
      case 'join':
        yield* this.#settled();
        return null;
      case 'heal':
        for (const undo of this.#partitions.splice(0)) undo();
        return null;
      case 'partition': {
        const one = this.#machines.get(o.one)?.name ?? o.one;
        const other = this.#machines.get(o.other)?.name ?? o.other;
        this.#partitions.push(
          this.#cluster.medium.addRule(partitionRule(this.#cluster.engine, [[one], [other]])),
        );
        return null;
      }
      case 'crash': {
        const machine = this.#machines.get(o.machine);
        if (machine === undefined) return 'ENXIO';
        machine.crash();
        this.#lose(machine);
        return null;
      }
      case 'reboot': {
        const machine = this.#machines.get(o.machine);
        if (machine === undefined) return 'ENXIO';
        machine.boot();
        yield* machine.running();
        return null;
      }
      case 'clean':
      case 'checkpoint':
        // Operations of a log-structured store: no storage that is installed has them.
        return 'EOPNOTSUPP';
    }
  }

  /** What the processes of a crashed machine had under way ends without an answer. */
  #lose(machine: ClusterMachine): void {
    for (const process of this.#processes.values()) {
      if (process.machine !== machine) continue;
      for (const job of [...process.pending]) this.#end(process, job, 'EIO', null);
    }
  }

  *#settled(): Task<void> {
    while (this.#pending > 0) yield* this.#changed.wait();
  }

  // ---- conditions

  *#check(steps: readonly Step[]): Task<readonly Checked[]> {
    const checked: Checked[] = [];
    const conditions = steps.filter((s) => s.step === 'condition');
    const machine = [...this.#machines.values()].find((m) => m.role === 'client' && m.state === 'running');
    if (conditions.length === 0) return [];
    if (machine === undefined)
      return conditions.map(({ line }) => ({ line, ok: false, why: 'no client runs that could look' }));
    const checker: RunningProgram = machine.board('systemCalls').start('conditions', function* (sys) {
      for (const { line, alternatives } of conditions) {
        const reasons: string[] = [];
        for (const all of alternatives) {
          let reason: string | null = null;
          for (const c of all) reason ??= yield* whyNot(sys, c);
          if (reason === null) {
            reasons.length = 0;
            break;
          }
          reasons.push(reason);
        }
        checked.push({
          line,
          ok: reasons.length === 0,
          why: reasons.length === 0 ? null : reasons.join('; '),
        });
      }
      return 0;
    });
    yield* checker.join();
    return checked;
  }

  get #nowNs(): number {
    return this.#cluster.engine.nowNs;
  }
}
