/**
 * One run: settings and an experiment become a cluster, which is driven to its end. Everything is checked before the
 * cluster is made; the run is a function of settings and seed.
 */
import { Cluster, describeKernels, type MachineDescription } from '@backplane/chassis';
import type { EngineEvent, Task } from '@backplane/engine';
import { ethernet } from '@backplane/hw-ethernet';
import type { Kernel } from '@backplane/slots';
import { spriteClient, spriteServer } from '@backplane/sprite';
import { catalogue, machineType } from './catalogue.ts';
import { didNotEnd, malformedSetting, unknownKernel, unknownRole } from './errors.ts';
import type { Experiment, Laboratory, Shape } from './experiment.ts';
import { checkFaultMachines, type Fault } from './faults.ts';
import { importTree } from './import-tree.ts';
import { applySettings, type Setting } from './setting.ts';
import type { Tree } from './tree.ts';

export interface RunSettings {
  readonly seed?: number;
  readonly clients?: number;
  readonly servers?: number;
  /** Machine types by role; '' is every role. */
  readonly machineTypes?: Readonly<Record<string, string>>;
  readonly kernel?: string;
  readonly settings?: readonly Setting[];
  readonly faults?: readonly Fault[];
  readonly tree?: Tree;
  readonly parameters?: Readonly<Record<string, string>>;
  readonly untilNs?: number;
  /** Sees the cluster before virtual time starts: for captures and traces. */
  readonly attach?: (cluster: Cluster) => void;
  readonly watchEvents?: (e: EngineEvent) => void;
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

/** @throws BackplaneError when something in the settings cannot work; nothing has been made then */
export function prepare<P, R>(experiment: Experiment<P, R>, settings: RunSettings = {}): PreparedRun<R> {
  const parameters = experiment.parameters(settings.parameters ?? {});
  const shape = reshaped(experiment.shape(parameters), settings);
  const machines = machinesOf(shape, settings);
  const faults = settings.faults ?? [];
  checkFaultMachines(
    faults,
    machines.map((m) => m.name),
  );
  if (settings.tree !== undefined && experiment.treeAt === undefined)
    throw malformedSetting('--tree', `${experiment.name} takes no tree.`, 'Leave it out.');
  const tree = experiment.treeAt === undefined ? null : (settings.tree ?? experiment.defaultTree?.() ?? null);
  const cluster = new Cluster(
    { medium: ethernet(), machines },
    { seed: settings.seed ?? 1, installed: catalogue },
  );
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
  for (const f of faults) f.apply(cluster);
  const outcome: Outcome<R> = { ended: false };
  cluster.start(experiment.name, keep(drive(experiment, lab), outcome));
  return prepared(experiment, settings, cluster, outcome);
}

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
  const untilNs = settings.untilNs ?? Number.POSITIVE_INFINITY;
  return {
    cluster,
    get ended() {
      return outcome.ended || cluster.engine.nowNs >= untilNs;
    },
    advance: (virtualNs) => cluster.engine.run(Math.min(untilNs, cluster.engine.nowNs + virtualNs)),
    result() {
      if (!outcome.ended) throw didNotEnd(experiment.name, cluster.engine.nowNs / 1e9);
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

function* drive<P, R>(experiment: Experiment<P, R>, lab: Laboratory<P>): Task<R> {
  yield* lab.cluster.bootAll();
  const [server] = lab.servers;
  if (server !== undefined && (experiment.prepare !== undefined || lab.tree !== null)) {
    const storage = server.board('storage', rootStorage(server.name, lab.cluster));
    if (experiment.prepare !== undefined) yield* experiment.prepare(storage);
    if (lab.tree !== null && experiment.treeAt !== undefined)
      yield* importTree(storage, lab.tree, experiment.treeAt);
  }
  return yield* experiment.run(lab);
}

/** The instance that serves the root: `storage:/`, or the only one. */
function rootStorage(machine: string, cluster: Cluster): string {
  const boards = cluster.composition.machines.find((m) => m.description.name === machine)?.boards ?? [];
  const instances = boards.filter((f) => f.board.slot === 'storage').map((f) => f.instance);
  return instances.find((i) => i === 'storage:/') ?? instances[0] ?? 'storage';
}

function reshaped(shape: Shape, s: RunSettings): Shape {
  const types = s.machineTypes ?? {};
  for (const role of Object.keys(types))
    if (role !== '' && role !== 'client' && role !== 'server')
      throw unknownRole(`--machine ${role}=${types[role]}`, role, ['client', 'server']);
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

function machinesOf(shape: Shape, s: RunSettings): readonly MachineDescription[] {
  if (s.kernel !== undefined && s.kernel !== 'sprite') throw unknownKernel(s.kernel, ['sprite']);
  const clientType = machineType(shape.machineTypes.client);
  const serverType = machineType(shape.machineTypes.server);
  const servers = Array.from({ length: shape.servers }, (_, i) => ({
    name: nameOf(serverNames, 'server', i),
    type: serverType,
    role: 'server',
    prefixes: shape.prefixes[i] ?? [],
  }));
  const clients = Array.from({ length: shape.clients }, (_, i) => ({
    name: nameOf(clientNames, 'client', i),
    type: clientType,
    role: 'client',
    prefixes: [],
  }));
  const bare = (kernel: Kernel): Kernel => (shape.without ?? []).reduce((k, slot) => k.without(slot), kernel);
  return [...servers, ...clients].map(({ prefixes, ...m }) => {
    const presets = new Map([
      ['client', bare(spriteClient())],
      ['server', bare(spriteServer(prefixes))],
    ]);
    const kernels = applySettings(presets, s.settings ?? []);
    return { ...m, kernel: kernels.get(m.role) ?? bare(spriteClient()) };
  });
}
