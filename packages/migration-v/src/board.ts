/**
 * The board for slot `servers` that moves programs from its host to others. It is a program of its own, as V's was: kernels
 * freeze, hand over and install single processes; which of them, when, and how memory gets there is known here only.
 */
import { type Task, tasks } from '@backplane/engine';
import {
  type Component,
  defineComponent,
  type EntityId,
  type Ipc,
  KernelError,
  type Machine,
  noEntity,
  wellKnown,
} from '@backplane/slots';
import { Askers, ask, migrateProgram, Operations, selectHost } from '@backplane/v-operations';
import { z } from 'zod';
import { HostServers } from './host-servers.ts';
import { type Limits, ProgramMove } from './move.ts';
import { version } from './version.ts';

const options = z.strictObject({
  roundsMax: z
    .int()
    .min(0)
    .default(5)
    .describe('how often memory is copied while the program runs, at most; 0: it is frozen for all of it'),
  pagesLeft: z.int().min(0).default(8).describe('with how few pages left to copy the program is frozen'),
});
export interface MigrationOptions {
  readonly roundsMax?: number;
  readonly pagesLeft?: number;
}

export const migration: Component<'servers', MigrationOptions> = /* @__PURE__ */ defineComponent({
  name: '@backplane/migration-v',
  version,
  slot: 'servers',
  contract: 1,
  requires: ['ipc'],
  options,
  create: ({ ipc }, limits, machine) => new Migration(ipc, machine, limits),
});

class Migration {
  static {
    tasks(Migration);
  }

  readonly process: EntityId;
  readonly #ipc: Ipc;
  readonly #machine: Machine;
  readonly #askers: Askers;
  readonly #limits: Limits;
  /** Roots of programs on their way. */
  readonly #moving = new Set<EntityId>();
  #moved = 0;
  #failed = 0;
  #frozenNs = 0;

  constructor(ipc: Ipc, machine: Machine, limits: Limits) {
    this.#ipc = ipc;
    this.#machine = machine;
    this.#limits = limits;
    this.#askers = new Askers(ipc, 'migration server', machine.scope);
    const server = ipc.create({ name: 'migration server', scope: machine.scope, space: null });
    this.process = server.id;
    new Operations().on(migrateProgram, (q) => this.#migrate(q)).serve(server, Number.POSITIVE_INFINITY);
    server.join(ipc.wellKnownGroup(wellKnown.migrationServers));
    machine.metrics.register('v.migrations', () => this.#moved);
    machine.metrics.register('v.migrationsFailed', () => this.#failed);
    machine.metrics.register('v.migrationFrozenSeconds', () => this.#frozenNs / 1e9);
  }

  *#migrate({
    root,
    to,
  }: ReturnType<typeof migrateProgram.requested>): Task<ReturnType<typeof migrateProgram.replied>> {
    if (this.#moving.has(root)) throw new KernelError('busy', 'it is on its way already');
    this.#moving.add(root);
    try {
      const manager = to === noEntity ? yield* this.#anyHost() : to;
      const here = new HostServers(this.#ipc, this.#askers, this.process);
      const there = new HostServers(this.#ipc, this.#askers, manager);
      const moved = yield* new ProgramMove(this.#machine.engine, root, here, there, this.#limits).run();
      this.#moved++;
      this.#frozenNs += moved.frozenNs;
      const { rounds, pagesBefore, pagesFrozen, frozenNs } = moved;
      return { manager, rounds, pagesBefore, pagesFrozen, frozenMicroseconds: Math.round(frozenNs / 1000) };
    } catch (e) {
      this.#failed++;
      throw e;
    } finally {
      this.#moving.delete(root);
    }
  }

  *#anyHost(): Task<EntityId> {
    const servers = this.#ipc.wellKnownGroup(wellKnown.placementServers);
    const need = { memoryBytes: 0, elsewhere: 1, machineType: this.#machine.type.name };
    return (yield* ask(this.#askers, servers, selectHost, need, { beside: this.process })).manager;
  }
}
