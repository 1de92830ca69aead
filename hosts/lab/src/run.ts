/**
 * One run: settings and an experiment become a cluster, which is driven to its end. Everything is checked before the
 * cluster is made; the run is a function of settings and seed.
 */
import {
  Cluster,
  type ClusterDescription,
  compose,
  describeKernels,
  type FittedMachine,
  type Installed,
  type MachineDescription,
} from '@backplane/chassis';
import { type EngineEvent, type Task, TIME_MAX_NS } from '@backplane/engine';
import { ethernet } from '@backplane/hw-ethernet';
import { type Kernel, type Storage, slotOfInstance } from '@backplane/slots';
import { catalogue, machineType } from './catalogue.ts';
import { imagesOf, keepsOnDisk, rootStorage } from './disk-image.ts';
import { didNotEnd, malformedSetting, slotNotFilled, stuck, unknownRole } from './errors.ts';
import type { Experiment, Laboratory, Shape } from './experiment.ts';
import { checkFaultPlaces, type Fault } from './faults.ts';
import { importTree } from './import-tree.ts';
import { type KernelFor, kernelNamed } from './kernels.ts';
import { applySettings, parseSetting, type Setting } from './setting.ts';
import type { Tree } from './tree.ts';
import { type CallWatcher, watchedKernel } from './watched-calls.ts';

export interface RunSettings {
  readonly seed?: number;
  readonly clients?: number;
  readonly servers?: number;
  /** Machine types by role; '' is every role. */
  readonly machineTypes?: Readonly<Record<string, string>>;
  /** Kernels by role; '' is every role. The experiment's usual one where none is given. */
  readonly kernels?: Readonly<Record<string, KernelFor>>;
  readonly settings?: readonly Setting[];
  readonly faults?: readonly Fault[];
  readonly tree?: Tree;
  readonly parameters?: Readonly<Record<string, string>>;
  readonly untilNs?: number;
  /** For the remedies that errors propose. By default what comes with the project. */
  readonly installed?: readonly Installed[];
  /** Sees the cluster before virtual time starts: for captures and traces. */
  readonly attach?: (cluster: Cluster) => void;
  readonly watchEvents?: (e: EngineEvent) => void;
  /** Is told of every system call of every program. */
  readonly watchCalls?: CallWatcher;
}

/** The JSON of `backplane run`, without what the host measured. */
export interface RunResult<R = unknown> {
  readonly experiment: string;
  readonly seed: number;
  readonly kernels: ReturnType<typeof describeKernels>;
  readonly cluster: {
    readonly machines: readonly {
      readonly name: string;
      readonly type: string;
      readonly role: string;
      readonly kernel: string;
    }[];
  };
  readonly virtualSeconds: number;
  readonly events: number;
  readonly traceHash: string;
  readonly result: R;
  readonly metrics: Readonly<Record<string, number>>;
}

export interface PreparedRun<R> {
  readonly cluster: Cluster;
  readonly ended: boolean;
  /** Goes on for so much virtual time, or to the end. */
  advance(virtualNs: number): void;
  /** @throws BackplaneError DID_NOT_END */
  result(): RunResult<R>;
}

const serverNames = ['allspice', 'mint', 'oregano', 'ginger', 'basil'];
const clientNames = [
  'mace',
  'thyme',
  'sage',
  'clove',
  'fennel',
  'anise',
  'dill',
  'cumin',
  'saffron',
  'sumac',
];

/** Sprite's own hosts were named after spices; when those run out, names are numbered. */
const nameOf = (names: readonly string[], role: string, i: number): string => names[i] ?? `${role}${i + 1}`;

/** A run before anything of it is made: what the settings come to. */
export interface Plan<P> {
  readonly parameters: P;
  readonly shape: Shape;
  readonly tree: Tree | null;
  readonly description: ClusterDescription;
}

/** Checks all that can be checked without making anything. @throws BackplaneError when it cannot work */
export function planRun<P, R>(experiment: Experiment<P, R>, settings: RunSettings = {}): Plan<P> {
  const parameters = experiment.parameters(settings.parameters ?? {});
  const shape = reshaped(experiment.name, experiment.shape(parameters), settings);
  const machines = machinesOf(shape, settings, usualOf(experiment)).map((m) => ({
    ...m,
    kernel: experiment.watched?.(m.kernel) ?? m.kernel,
  }));
  checkUses(experiment, machines);
  checkFaultPlaces(settings.faults ?? [], machines);
  if (settings.tree !== undefined && experiment.treeAt === undefined)
    throw malformedSetting('--tree', `${experiment.name} takes no tree.`, 'Leave it out.');
  const tree = experiment.treeAt === undefined ? null : (settings.tree ?? experiment.defaultTree?.() ?? null);
  const description = { medium: ethernet(), machines };
  compose(description, settings.installed ?? catalogue);
  return { parameters, shape, tree, description };
}

/** @throws BackplaneError when something in the settings cannot work; nothing has been made then */
export function prepare<P, R>(experiment: Experiment<P, R>, settings: RunSettings = {}): PreparedRun<R> {
  const { parameters, tree, description } = planRun(experiment, settings);
  const cluster = new Cluster(watched(description, settings.watchCalls), {
    seed: settings.seed ?? 1,
    installed: settings.installed ?? catalogue,
  });
  cluster.engine.watchEvents(settings.watchEvents ?? null);
  settings.attach?.(cluster);
  const lab: Laboratory<P> = {
    cluster,
    clients: cluster.withRole('client'),
    servers: cluster.withRole('server'),
    parameters,
    tree,
    start: (machine, name, program) => machine.board('systemCalls').start(name, program),
  };
  for (const f of settings.faults ?? []) f.apply(cluster);
  const outcome: Outcome<R> = { ended: false };
  const left = fillDisks(cluster, contentOf(experiment, tree));
  cluster.start(experiment.name, keep(drive(experiment, lab, left), outcome));
  return prepared(experiment, settings, cluster, outcome);
}

const watched = (d: ClusterDescription, watcher: CallWatcher | undefined): ClusterDescription =>
  watcher === undefined
    ? d
    : { ...d, machines: d.machines.map((m) => ({ ...m, kernel: watchedKernel(m.kernel, watcher) })) };

interface Outcome<R> {
  ended: boolean;
  value?: R;
}

function prepared<P, R>(
  experiment: Experiment<P, R>,
  settings: RunSettings,
  cluster: Cluster,
  outcome: Outcome<R>,
): PreparedRun<R> {
  const { engine } = cluster;
  const untilNs = settings.untilNs ?? TIME_MAX_NS;
  let idleSlices = 0;
  let busyUntilNs = 0;
  return {
    cluster,
    get ended() {
      return outcome.ended || engine.nowNs >= untilNs;
    },
    advance(virtualNs) {
      const before = engine.events;
      // Slices without an event grow, so that the end of time is soon found where nothing is left to happen.
      engine.run(Math.min(untilNs, engine.nowNs + virtualNs * 2 ** idleSlices));
      idleSlices = engine.events === before ? idleSlices + 1 : 0;
      if (idleSlices === 0) busyUntilNs = engine.nowNs;
    },
    result() {
      if (!outcome.ended)
        throw engine.nowNs === TIME_MAX_NS
          ? stuck(experiment.name, busyUntilNs / 1e9)
          : didNotEnd(experiment.name, engine.nowNs / 1e9);
      return {
        experiment: experiment.name,
        seed: settings.seed ?? 1,
        kernels: describeKernels(cluster.composition),
        cluster: {
          machines: cluster.machines.map((m) => ({
            name: m.name,
            type: m.type.name,
            role: m.role,
            kernel: m.kernelName,
          })),
        },
        virtualSeconds: cluster.engine.nowNs / 1e9,
        events: cluster.engine.events,
        traceHash: cluster.engine.traceHash(),
        result: outcome.value as R,
        metrics: cluster.metrics(),
      };
    },
  };
}

function* keep<R>(driver: Task<R>, outcome: Outcome<R>): Task<void> {
  outcome.value = yield* driver;
  outcome.ended = true;
}

/** The whole run at once. */
export function runExperiment<P, R>(experiment: Experiment<P, R>, settings: RunSettings = {}): RunResult<R> {
  const run = prepare(experiment, settings);
  while (!run.ended) run.advance(Number.POSITIVE_INFINITY);
  return run.result();
}

/** Puts something into the storage that serves the root. */
type Content = (storage: Storage) => Task<void>;

/** What an experiment wants to find in the root's storage; null if nothing. */
function contentOf<P, R>(experiment: Experiment<P, R>, tree: Tree | null): Content | null {
  const { treeAt, prepare: prepareStorage } = experiment;
  if (prepareStorage === undefined && (tree === null || treeAt === undefined)) return null;
  return function* (storage) {
    if (prepareStorage !== undefined) yield* prepareStorage(storage);
    if (tree !== null && treeAt !== undefined) yield* importTree(storage, tree, treeAt);
  };
}

/** What a server is still to be filled with when it runs: a storage in memory exists from its boot on. */
type Unfilled = readonly { readonly server: FittedMachine; readonly content: Content }[];

/** Fills the disks of the root's servers before virtual time starts. Returns what is left to do. */
function fillDisks(cluster: Cluster, content: Content | null): Unfilled {
  if (content === null) return [];
  const unfilled: { readonly server: FittedMachine; readonly content: Content }[] = [];
  for (const server of rootServers(cluster)) {
    if (!keepsOnDisk(server)) {
      unfilled.push({ server, content });
      continue;
    }
    const machine = cluster.machine(server.description.name);
    for (const [disk, extents] of imagesOf(server, cluster.engine.seed, content))
      for (const { sector, data } of extents) machine.board('disk', disk).load(sector, data);
  }
  return unfilled;
}

/** One; in a cluster of several kernels that do not share files, one of each. */
function rootServers(cluster: Cluster): readonly FittedMachine[] {
  const servers = cluster.composition.machines.filter((m) => m.description.role === 'server');
  const roots = servers.filter((m) => m.boards.some((b) => b.instance === 'storage:/'));
  return roots.length > 0 ? roots : servers.slice(0, 1);
}

function* drive<P, R>(experiment: Experiment<P, R>, lab: Laboratory<P>, unfilled: Unfilled): Task<R> {
  yield* lab.cluster.bootAll();
  for (const { server, content } of unfilled)
    yield* content(lab.cluster.machine(server.description.name).board('storage', rootStorage(server)));
  return yield* experiment.run(lab);
}

const roles: readonly string[] = ['client', 'server'];

const usualOf =
  (e: Pick<Experiment, 'kernel'>) =>
  (index: number): string =>
    e.kernel?.(index) ?? 'sprite';

/** @throws BackplaneError when a role is none of those that experiments have */
function checkRoles(option: string, given: Readonly<Record<string, unknown>>): void {
  for (const role of Object.keys(given))
    if (role !== '' && !roles.includes(role)) throw unknownRole(`${option} ${role}=...`, role, roles);
}

/** @throws BackplaneError when a kernel lacks what the experiment's own programs call */
function checkUses(
  e: Pick<Experiment, 'name' | 'uses' | 'kernel'>,
  machines: readonly MachineDescription[],
): void {
  for (const slot of e.uses ?? [])
    for (const { name: machine, kernel } of machines)
      if (!kernel.boards.has(slot))
        throw slotNotFilled(e.name, { slot, machine, kernel: kernel.name, usual: usualOf(e)(0) });
}

function checkCount(
  experiment: string,
  role: string,
  given: number | undefined,
  min: number,
  max: number = Number.POSITIVE_INFINITY,
): void {
  if (given === undefined || (given >= min && given <= max)) return;
  const option = role === 'client' ? '--machines' : '--servers';
  const limit = given < min ? min : max;
  throw malformedSetting(
    `${option} ${given}`,
    `${experiment} ${given < min ? 'needs at least' : 'takes at most'} ${limit} ${role}${limit === 1 ? '' : 's'}.`,
    `Leave it out, or give ${option} ${limit}`,
  );
}

function reshaped(experiment: string, shape: Shape, s: RunSettings): Shape {
  const types = s.machineTypes ?? {};
  checkRoles('--machine', types);
  checkRoles('--kernel', s.kernels ?? {});
  checkCount(experiment, 'server', s.servers, shape.servers > 0 ? 1 : 0, shape.serversMax);
  checkCount(experiment, 'client', s.clients, shape.clientsMin ?? 1, undefined);
  const every = types[''];
  return {
    ...shape,
    clients: s.clients ?? shape.clients,
    servers: s.servers ?? shape.servers,
    machineTypes: {
      client: types['client'] ?? every ?? shape.machineTypes.client,
      server: types['server'] ?? every ?? shape.machineTypes.server,
    },
  };
}

function machinesOf(
  shape: Shape,
  s: RunSettings,
  usual: (index: number) => string,
): readonly MachineDescription[] {
  const clientType = machineType(shape.machineTypes.client);
  const serverType = machineType(shape.machineTypes.server);
  const servers = Array.from({ length: shape.servers }, (_, i) => ({
    name: nameOf(serverNames, 'server', i),
    type: serverType,
    role: 'server',
    index: i,
    prefixes: shape.prefixes[i] ?? [],
  }));
  const clients = Array.from({ length: shape.clients }, (_, i) => ({
    name: nameOf(clientNames, 'client', i),
    type: clientType,
    role: 'client',
    index: i,
    prefixes: [],
  }));
  const settings = [...(shape.settings ?? []).map((text) => parseSetting(text)), ...(s.settings ?? [])];
  for (const { role, text } of settings)
    if (role !== null && !roles.includes(role)) throw unknownRole(`--set ${text}`, role, roles);
  const bare = (kernel: Kernel): Kernel => (shape.without ?? []).reduce((k, slot) => k.without(slot), kernel);
  const machines = [...servers, ...clients].map(({ prefixes, index, ...m }) => {
    const kernelFor = s.kernels?.[m.role] ?? s.kernels?.[''] ?? kernelNamed(usual(index));
    const kernel = bare(kernelFor({ machine: m.name, role: m.role, prefixes }));
    const own = settings.filter(({ role }) => role === null || role === m.role);
    return { ...m, kernel: applySettings(new Map([[m.role, kernel]]), own).get(m.role) ?? kernel };
  });
  for (const { slot, role, text } of s.settings ?? [])
    if (!machines.some((m) => [...m.kernel.boards.keys()].some((i) => slotOfInstance(i) === slot)))
      throw malformedSetting(
        `--set ${text}`,
        `no machine${role === null ? '' : ` with the role "${role}"`} has a board in the slot "${slot}" to exchange.`,
        role === null ? `Name the role that is to have one: --set server.${text}` : 'Leave it out.',
      );
  return machines;
}
