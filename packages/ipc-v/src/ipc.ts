/** The processes of one host, and what their primitives share: costs, counters, the transport. */
import {
  charge,
  type Engine,
  type Scope,
  settle,
  type Task,
  type Thread,
  tasks,
  WaitQueue,
} from '@backplane/engine';
import {
  type ArrivedRequest,
  Busy,
  type EntityId,
  type EntityMoves,
  type EntityService,
  type EntityTransport,
  type Ipc,
  type IpcProcess,
  KernelError,
  type Machine,
  type MovingProcess,
  type Probed,
  type ProcessDescription,
  type Undo,
  wellKnown,
} from '@backplane/slots';
import { Counters } from './counters.ts';
import { answerForTheDead, die } from './death.ts';
import { Arrivals } from './delivery.ts';
import { memoryManager } from './memory-manager.ts';
import { extract, install, isBusy } from './moving.ts';
import { Process } from './process.ts';

type InstalledWhere = Parameters<Ipc['install']>[1];

export interface Limits {
  readonly concurrent: number;
  readonly queuedMax: number;
  readonly probeNs: number;
}

/** A client of the kernel's is asked nothing. */
const askedInVain: EntityService = {
  arrived(request) {
    request.discard();
    return 'taken';
  },
};

export class VIpc implements Ipc {
  static {
    tasks(VIpc);
  }

  readonly entities: EntityTransport;
  readonly engine: Engine;
  readonly processes: Map<EntityId, Process> = new Map();
  readonly counters: Counters = new Counters();
  readonly memoryManagers: EntityId;
  readonly limits: Limits;
  readonly trapNs: number;
  readonly #scope: Scope;
  readonly #copyNsPerByte: number;
  readonly #arrivals = new Set<(p: IpcProcess) => void>();
  /** Entities in whose name threads ask memory managers, free ones: each carries one transaction at a time. */
  readonly #clients: EntityId[] = [];

  constructor(entities: EntityTransport, machine: Machine, limits: Limits) {
    const { trapNs, copyNsPerByte } = machine.type.costs;
    this.entities = entities;
    this.engine = machine.engine;
    this.memoryManagers = entities.wellKnownGroup(wellKnown.memoryManagers);
    this.limits = limits;
    this.trapNs = trapNs;
    this.#copyNsPerByte = copyNsPerByte;
    this.#scope = machine.scope;
    this.counters.register(machine);
    machine.metrics.register('ipc.processes', () => this.processes.size);
  }

  /** The kernel's own server. */
  start(): void {
    const server = this.create({ name: 'memory manager', scope: this.#scope, space: null });
    // A move may have to wait until a process is thawed: it holds up no other.
    server.serve(memoryManager(this.processes), { concurrent: Number.POSITIVE_INFINITY });
    server.join(this.memoryManagers);
  }

  /** Ends every process; returns when those who wait elsewhere have their answers. */
  *halt(): Task<void> {
    for (const p of [...this.processes.values()]) yield* answerForTheDead(die(p));
  }

  create(description: ProcessDescription): IpcProcess {
    const id = this.entities.mint();
    const p = new Process(this, id, description);
    this.processes.set(id, p);
    p.detach = this.entities.attach(id, new Arrivals(p));
    this.#await(p);
    return p;
  }

  extract(id: EntityId): MovingProcess | 'busy' {
    const p = this.processes.get(id);
    if (p === undefined || !p.frozen)
      throw new KernelError('badArgument', `${id} is not here, or not frozen`);
    if (isBusy(p)) return 'busy';
    const moving = extract(p, this.#moves());
    this.processes.delete(id);
    return moving;
  }

  install({ process, state }: MovingProcess, where: InstalledWhere): void {
    if (!(process instanceof Process)) throw new KernelError('badArgument', 'a process of another board');
    install(this, process, this.#moves(), state, where);
    this.processes.set(process.id, process);
    this.#await(process);
    for (const listener of this.#arrivals) listener(process);
  }

  onArrival(listener: (p: IpcProcess) => void): Undo {
    this.#arrivals.add(listener);
    return () => void this.#arrivals.delete(listener);
  }

  #moves(): EntityMoves {
    const { moves } = this.entities;
    if (moves === undefined) throw new KernelError('unsupported', 'entities that move, over this transport');
    return moves;
  }

  find(id: EntityId): IpcProcess | undefined {
    return this.processes.get(id);
  }

  mintGroup(): EntityId {
    return this.entities.mintGroup();
  }

  wellKnownGroup(number: number): EntityId {
    return this.entities.wellKnownGroup(number);
  }

  *probe(id: EntityId): Task<Probed> {
    charge(this.trapNs, Busy.kernel);
    yield* settle();
    return this.processes.has(id) ? 'here' : yield* this.entities.probe(id);
  }

  end(p: Process): void {
    if (!p.dead) this.answerForTheDead(die(p));
  }

  /** Requests whose process has died before it answered. */
  answerForTheDead(unanswered: readonly ArrivedRequest[]): void {
    if (unanswered.length > 0) this.#scope.spawn('last answers', answerForTheDead(unanswered));
  }

  copyNs(bytes: number): number {
    return Math.round(bytes * this.#copyNsPerByte);
  }

  takeClient(): EntityId {
    const free = this.#clients.pop();
    if (free !== undefined) return free;
    const id = this.entities.mint();
    this.entities.attach(id, askedInVain);
    return id;
  }

  returnClient(id: EntityId): void {
    this.#clients.push(id);
  }

  /** Its end, when its scope ends. A scope tells nobody, but a thread in it that does nothing ends with it. */
  #await(p: Process): void {
    p.life = p.scope.spawn('life', forEver());
    this.#scope.spawn('reaper', this.#reap(p, p.life));
  }

  *#reap(p: Process, life: Thread): Task<void> {
    yield* life.join();
    // It may live elsewhere by now.
    if (p.life === life) this.end(p);
  }
}

function* forEver(): Task<void> {
  yield* new WaitQueue().wait();
}
