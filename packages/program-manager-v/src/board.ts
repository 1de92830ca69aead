/**
 * The board for slot `servers` with V's program manager, or team server: a program outside the kernel, of several processes.
 * It does what a kernel of messages leaves to programs: execute programs on its host at the wish of any host, share time
 * among them, say how much there is to do here.
 *
 * The kernel's servers make spaces and processes and do not know what a program is; what is one is known here only.
 */
import { ms, type RandomStream, seconds, sleep, type Task, Timer, tasks } from '@backplane/engine';
import {
  type Component,
  defineComponent,
  type EntityId,
  type Ipc,
  KernelError,
  type Machine,
  type Memory,
  type Received,
  type Scheduler,
  wellKnown,
} from '@backplane/slots';
import { ServedObjects, Snapshot } from '@backplane/uio';
import {
  Askers,
  adoptProgram,
  awaitProgram,
  createProgram,
  entityList,
  findProgramManager,
  listPrograms,
  modifyProgram,
  Operations,
  priorityOf,
  programLevels,
  queryLoad,
  queryProgram,
  releaseProgram,
  terminateProgram,
} from '@backplane/v-operations';
import { encodeUtf8 } from '@backplane/wire';
import { z } from 'zod';
import { HostKernel } from './host-kernel.ts';
import { Program } from './program.ts';
import { restingPriority, Slicer } from './slicer.ts';
import { version } from './version.ts';

const options = z.strictObject({
  quantumMs: z
    .number()
    .positive()
    .default(100)
    .describe('how long a program goes before the others of its level, in milliseconds'),
  guests: z.boolean().default(true).describe('whether programs of users of other hosts are taken'),
  replyDelayMs: z
    .number()
    .min(0)
    .default(10)
    .describe(
      'up to how long an answer to a question to all hosts waits, so that answers do not collide, in milliseconds',
    ),
  probeSeconds: z
    .number()
    .positive()
    .default(30)
    .describe('how often it is asked whether those live who wanted programs and have not started them'),
});
export interface ProgramManagerOptions {
  readonly quantumMs?: number;
  readonly guests?: boolean;
  readonly replyDelayMs?: number;
  readonly probeSeconds?: number;
}

export const programManager: Component<'servers', ProgramManagerOptions> = /* @__PURE__ */ defineComponent({
  name: '@backplane/program-manager-v',
  version,
  slot: 'servers',
  contract: 1,
  requires: ['ipc', 'memory', 'scheduler'],
  options,
  create: ({ ipc, memory, scheduler }, { quantumMs, guests, replyDelayMs, probeSeconds }, machine) =>
    new ProgramManager(
      { ipc, memory, scheduler, machine },
      {
        quantumNs: ms(quantumMs),
        guests,
        replyDelayNs: ms(replyDelayMs),
        probeNs: seconds(probeSeconds),
      },
    ),
});

interface Parts {
  readonly ipc: Ipc;
  readonly memory: Memory;
  readonly scheduler: Scheduler;
  readonly machine: Machine;
}

interface Limits {
  readonly quantumNs: number;
  readonly guests: boolean;
  readonly replyDelayNs: number;
  readonly probeNs: number;
}

type Requested<O extends { requested(m: never): unknown }> = ReturnType<O['requested']>;

class ProgramManager {
  static {
    tasks(ProgramManager);
  }

  readonly process: EntityId;
  readonly #ipc: Ipc;
  readonly #memory: Memory;
  readonly #scheduler: Scheduler;
  readonly #machine: Machine;
  readonly #limits: Limits;
  readonly #kernel: HostKernel;
  readonly #slicer: Slicer;
  readonly #random: RandomStream;
  readonly #programs = new Map<EntityId, Program>();
  /** Statuses that nobody has awaited yet, as long as those live who wanted the programs. */
  readonly #ended = new Map<EntityId, { readonly owner: EntityId; readonly status: number }>();
  readonly #collector: Timer;
  #started = 0;

  constructor({ ipc, memory, scheduler, machine }: Parts, limits: Limits) {
    const { scope } = machine;
    this.#ipc = ipc;
    this.#memory = memory;
    this.#scheduler = scheduler;
    this.#machine = machine;
    this.#limits = limits;
    this.#random = machine.random('programs');
    const server = ipc.create({ name: 'program manager', scope, space: null });
    this.process = server.id;
    this.#kernel = new HostKernel(ipc, new Askers(ipc, 'program manager', scope), server.id);
    this.#slicer = new Slicer(this.#kernel, this.#programs, scope, limits.quantumNs);
    this.#collector = new Timer(
      scope,
      'programs.collector',
      () => void scope.spawn('collector', this.#collect()),
    );
    new Operations()
      .on(createProgram, (q, request) => this.#create(q, request))
      .on(awaitProgram, (q) => this.#awaited(q))
      .on(terminateProgram, (q) => this.#terminate(q))
      .on(modifyProgram, (q) => this.#modify(q))
      .on(queryLoad, (q) => this.#load(q))
      .on(listPrograms, () => this.#list())
      .on(findProgramManager, () => this.#found())
      .on(queryProgram, (q) => this.#query(q))
      .on(adoptProgram, (q) => this.#adopt(q))
      .on(releaseProgram, (q) => this.#release(q))
      .serve(server, Number.POSITIVE_INFINITY);
    const managers = ipc.wellKnownGroup(wellKnown.programManagers);
    server.join(managers);
    const directory = new ServedObjects<Snapshot>(ipc, machine, {
      name: 'program directory',
      model: 'messages',
      concurrent: 4,
      probeNs: limits.probeNs,
      create: () => this.#directory(),
    });
    directory.process.join(managers);
    machine.metrics.register('v.programs', () => this.#programs.size);
    machine.metrics.register('v.programsStarted', () => this.#started);
  }

  *#create(
    q: Requested<typeof createProgram>,
    { from }: Received,
  ): Task<ReturnType<typeof createProgram.replied>> {
    const level = programLevels[q.level];
    if (level === undefined) throw new KernelError('badArgument', `level ${q.level}`);
    if (level === 'guest' && !this.#limits.guests) throw new KernelError('permission', 'no guests');
    const { name, environment } = q.start;
    const { text, pages } = q;
    const priority = restingPriority(level);
    const made = yield* this.#kernel.create({ name, text, priority, environment, pages });
    const program = new Program({ ...made, name, owner: from, level });
    this.#started++;
    this.#enter(program);
    return made;
  }

  #enter(program: Program): void {
    this.#programs.set(program.root, program);
    this.#machine.scope.spawn(`watch ${program.name}`, this.#watch(program));
    this.#slicer.look();
    if (!this.#collector.armed) this.#collector.set(this.#limits.probeNs);
  }

  /** Until its root has ended, in whatever way, or has left. */
  *#watch(program: Program): Task<void> {
    const status = (yield* this.#kernel.awaitEnd(program.root)) ?? -1;
    if (status === 'departed') return;
    this.#programs.delete(program.root);
    yield* this.#kernel.destroySpace(program.space);
    this.#slicer.look();
    if (program.ended.length === 0) this.#ended.set(program.root, { owner: program.owner, status });
    program.ended.wakeAll(status);
  }

  *#query({ root }: Requested<typeof queryProgram>): Task<ReturnType<typeof queryProgram.replied>> {
    const { space, level, name } = this.#get(root);
    return { space, level: programLevels.indexOf(level), name };
  }

  // ---- from host to host ----

  *#adopt({ root, space, level: index, name }: Requested<typeof adoptProgram>): Task<object> {
    const level = programLevels[index];
    if (level === undefined) throw new KernelError('badArgument', `level ${index}`);
    this.#enter(new Program({ root, space, name, owner: root, level }));
    return {};
  }

  /** Its space is no more than a copy: whoever moved it destroys that. */
  *#release({ root }: Requested<typeof releaseProgram>): Task<object> {
    const program = this.#get(root);
    this.#programs.delete(root);
    this.#slicer.look();
    program.ended.wakeAll('departed');
    return {};
  }

  *#awaited({ root }: Requested<typeof awaitProgram>): Task<{ readonly status: number }> {
    const known = this.#ended.get(root);
    if (known !== undefined) {
      this.#ended.delete(root);
      return { status: known.status };
    }
    const status = (yield* this.#get(root).ended.wait()) ?? -1;
    if (status === 'departed') throw new KernelError('stale', 'it has moved');
    return { status };
  }

  *#terminate({ root }: Requested<typeof terminateProgram>): Task<object> {
    yield* this.#kernel.destroy(this.#get(root).root);
    return {};
  }

  *#modify({ root, level: index, suspended }: Requested<typeof modifyProgram>): Task<object> {
    const level = programLevels[index];
    if (level === undefined) throw new KernelError('badArgument', `level ${index}`);
    const program = this.#get(root);
    program.level = level;
    program.suspended = suspended === 1;
    yield* this.#kernel.setPriority(
      program.space,
      program.suspended ? priorityOf('stop') : restingPriority(level),
    );
    this.#slicer.look();
    return {};
  }

  *#load(q: Requested<typeof queryLoad>): Task<ReturnType<typeof queryLoad.replied> | 'discard'> {
    const freeBytes = this.#memory.freeCount * this.#memory.frameBytes;
    const fits = q.memoryBytes <= freeBytes && ['', this.#machine.type.name].includes(q.machineType);
    if (!fits || (q.guest === 1 && !this.#limits.guests)) return 'discard';
    const { replyDelayNs } = this.#limits;
    if (replyDelayNs > 0) yield* sleep(this.#random.below(replyDelayNs));
    return {
      manager: this.process,
      runnable: this.#scheduler.runnable,
      programs: this.#programs.size,
      freeBytes,
    };
  }

  *#list(): Task<{ readonly roots: Uint8Array }> {
    return { roots: entityList(this.#programs.keys()) };
  }

  /** Who runs here, as a file: opened anew it shows them as they are then. A line for each. */
  *#directory(): Task<readonly [Snapshot]> {
    const lines = [...this.#programs.values()].map(
      (p) => `${p.root} ${p.level} ${p.suspended ? 'suspended' : 'running'} ${p.name}\n`,
    );
    return [new Snapshot(encodeUtf8(lines.join('')))];
  }

  *#found(): Task<{ readonly manager: EntityId }> {
    return { manager: this.process };
  }

  /** Nobody starts the programs of the dead, or asks how they ended. */
  *#collect(): Task<void> {
    for (const [root, { owner }] of [...this.#ended])
      if ((yield* this.#ipc.probe(owner)) === 'nonexistent') this.#ended.delete(root);
    for (const { root, owner } of [...this.#programs.values()]) {
      if (!(yield* this.#kernel.isNew(root))) continue;
      if ((yield* this.#ipc.probe(owner)) === 'nonexistent') yield* this.#kernel.destroy(root);
    }
    if (this.#programs.size + this.#ended.size > 0) this.#collector.set(this.#limits.probeNs);
  }

  #get(root: EntityId): Program {
    const program = this.#programs.get(root);
    if (program === undefined) throw new KernelError('noProcess', root);
    return program;
  }
}
