/**
 * The check before anything is made: a cluster description becomes a composition, in which every requirement is
 * known to be met and every machine's boards stand in an order in which they can be made; or one error that shows the
 * whole path. Requirements and cycles are checked over instances, so that a RAID may be a disk made of disks.
 */
import {
  type Board,
  type Lifetime,
  nearest,
  type Plain,
  type SlotFacts,
  slotFacts,
  slotOfInstance,
} from '@backplane/slots';
import type { ClusterDescription, Installed, MachineDescription } from './description.ts';
import {
  type At,
  capabilityMissing,
  cycle,
  outlives,
  protocolUnserved,
  requiresRegistering,
  slotEmpty,
  slotTaken,
  unknownSlot,
  wrappedTwice,
  wrapsNothing,
  wrongContract,
  wrongMachines,
  wrongSlot,
} from './errors.ts';

/** One board in its place: what it is granted, by the name it will find it under. */
export interface Fitted {
  readonly instance: string;
  readonly board: Board;
  readonly lifetime: Lifetime;
  /** Slots of one: name of the instance, or undefined where it asked with "?" and there is none. */
  readonly one: ReadonlyMap<string, string | undefined>;
  /** Slots of many: the instances, by short name. */
  readonly many: ReadonlyMap<string, ReadonlyMap<string, string>>;
  readonly wrapped: readonly string[];
}

export interface FittedMachine {
  readonly description: MachineDescription;
  readonly host: number;
  /** In order of dependency: the hardware first, then the kernel. */
  readonly boards: readonly Fitted[];
}

export interface Composition {
  readonly medium: Board<'medium'>;
  readonly machines: readonly FittedMachine[];
}

const hostMax = 199;
const longevity: { readonly [L in Lifetime]: number } = { boot: 0, machine: 1, cluster: 2 };

export function compose(cluster: ClusterDescription, installed: readonly Installed[] = []): Composition {
  checkMachines(cluster.machines);
  const machines = cluster.machines.map((m, i) => fitMachine(cluster, m, m.host ?? i + 1, installed));
  checkProtocols(machines);
  return { medium: cluster.medium, machines };
}

function checkMachines(machines: readonly MachineDescription[]): void {
  const names = new Set<string>();
  const hosts = new Map<number, string>();
  machines.forEach((m, i) => {
    if (!/^[A-Za-z][A-Za-z0-9-]*$/.test(m.name))
      throw wrongMachines(
        `"${m.name}" is no name for a machine.`,
        'Use letters, digits and hyphens, a letter first.',
      );
    if (names.has(m.name)) throw wrongMachines(`Two machines are called "${m.name}".`, 'Rename one.');
    names.add(m.name);
    const host = m.host ?? i + 1;
    const other = hosts.get(host);
    if (!Number.isInteger(host) || host < 1 || host > hostMax)
      throw wrongMachines(
        `Machine "${m.name}" has the host number ${host}.`,
        `Host numbers are 1 to ${hostMax}.`,
      );
    if (other !== undefined)
      throw wrongMachines(
        `Machines "${other}" and "${m.name}" both have the host number ${host}.`,
        'Give one another number.',
      );
    hosts.set(host, m.name);
  });
}

function fitMachine(
  cluster: ClusterDescription,
  m: MachineDescription,
  host: number,
  installed: readonly Installed[],
): FittedMachine {
  const boards = new Map(m.kernel.boards);
  const facts = factsOf(cluster, m, boards);
  const taken = wrappersIn(m.name, boards);
  const fitted = new Map<string, Fitted>();
  for (const [instance, board] of boards)
    fitted.set(instance, fit(m, instance, board, boards, taken, facts, installed));
  return { description: m, host, boards: sort(m.name, fitted) };
}

/** Checks each board by itself: known slot, right slot, contract in the window, one where there is one. */
function factsOf(
  cluster: ClusterDescription,
  m: MachineDescription,
  boards: ReadonlyMap<string, Board>,
): ReadonlyMap<string, SlotFacts> {
  const facts = new Map(slotFacts.map((f) => [f.slot, f]));
  for (const board of boards.values())
    if (board.facts !== undefined && !facts.has(board.slot)) facts.set(board.slot, board.facts);
  const taken = new Map<string, string>();
  for (const [instance, board] of [...boards, ['medium', cluster.medium] as const]) {
    const at: At = { machine: m.name, instance, board: board.name };
    const slot = slotOfInstance(instance);
    const f = facts.get(slot);
    if (board.slot !== slot) throw wrongSlot(at, board.slot);
    if (f === undefined) throw unknownSlot(at, slot, [...facts.keys()]);
    const other = taken.get(slot);
    if (!f.many && other !== undefined) throw slotTaken(at, slot, other);
    taken.set(slot, board.name);
    if (board.contract < f.contract.floor || board.contract > f.contract.current)
      throw wrongContract(at, slot, board.contract, f.contract);
  }
  return facts;
}

/** Who wraps an instance: it is that one's alone. */
function wrappersIn(machine: string, boards: ReadonlyMap<string, Board>): ReadonlyMap<string, string> {
  const wrappers = new Map<string, string>();
  for (const [instance, board] of boards)
    for (const wrapped of board.wraps) {
      const other = wrappers.get(wrapped) ?? instance;
      if (other !== instance) throw wrappedTwice({ machine, instance, board: board.name }, wrapped, other);
      wrappers.set(wrapped, instance);
    }
  return wrappers;
}

/** The boards of a slot that the others may use: all but those that another one wraps. In order of dependency. */
export function offered({ boards }: FittedMachine, slot: string): readonly Fitted[] {
  const taken = new Set(boards.flatMap((f) => f.wrapped));
  return boards.filter((f) => f.board.slot === slot && !taken.has(f.instance));
}

function fit(
  m: MachineDescription,
  instance: string,
  board: Board,
  boards: ReadonlyMap<string, Board>,
  taken: ReadonlyMap<string, string>,
  facts: ReadonlyMap<string, SlotFacts>,
  installed: readonly Installed[],
): Fitted {
  const at: At = { machine: m.name, instance, board: board.name };
  const lifetime = facts.get(board.slot)?.lifetime ?? 'boot';
  const one = new Map<string, string | undefined>();
  const many = new Map<string, ReadonlyMap<string, string>>();
  for (const requirement of board.requires) {
    const { slot, optional, capability } = parseRequirement(requirement);
    const f = facts.get(slot);
    const path = [...pathTo(instance, boards), slot];
    // A slot that only outside packages know is empty like any other; a misspelt one is not.
    if (f === undefined)
      throw nearest(slot, facts.keys()) === undefined
        ? slotEmpty(m.name, path, installed)
        : unknownSlot(at, slot, [...facts.keys()]);
    if (f.registers) throw requiresRegistering(at, slot);
    if (longevity[f.lifetime] < longevity[lifetime]) throw outlives(at, slot, lifetime, f.lifetime);
    const instances =
      slot === 'medium'
        ? ['medium']
        : [...boards.keys()].filter((i) => slotOfInstance(i) === slot && i !== instance);
    if (instances.length === 0 && !optional) throw slotEmpty(m.name, path, installed);
    if (f.many) {
      const free = instances.filter((i) => !taken.has(i));
      many.set(slot, new Map(free.map((i) => [shortName(i, slot), i])));
      continue;
    }
    const filler = instances[0];
    if (!one.has(slot) || filler !== undefined) one.set(slot, filler);
    const has = filler === undefined ? undefined : boards.get(filler);
    if (capability !== undefined && has !== undefined && !has.capabilities.includes(capability))
      throw capabilityMissing(at, slot, capability, has.name, path, installed);
  }
  const own = [...boards.keys()].filter((i) => i !== instance && facts.get(slotOfInstance(i))?.many === true);
  for (const wrapped of board.wraps) if (!own.includes(wrapped)) throw wrapsNothing(at, wrapped, own);
  return { instance, board, lifetime, one, many, wrapped: board.wraps };
}

/** `x`, `x?`, `x+capability`. */
export function parseRequirement(text: string): {
  readonly slot: string;
  readonly optional: boolean;
  readonly capability: string | undefined;
} {
  const optional = text.endsWith('?');
  const [slot = '', capability] = (optional ? text.slice(0, -1) : text).split('+');
  return { slot, optional, capability };
}

/** `disk.0` is `0`, `storage:/src` is `/src`, and a single `storage` is `storage`. */
const shortName = (instance: string, slot: string): string =>
  instance === slot ? slot : instance.slice(slot.length + 1);

/** Who needs this instance, from a board that nobody needs downwards: for the path in an error. */
function pathTo(instance: string, boards: ReadonlyMap<string, Board>): readonly string[] {
  const path = [instance];
  for (;;) {
    const top = path[0] ?? instance;
    const needer = [...boards].find(
      ([i, b]) =>
        !path.includes(i) &&
        (b.wraps.includes(top) || b.requires.some((r) => parseRequirement(r).slot === slotOfInstance(top))),
    );
    if (needer === undefined) return path;
    path.unshift(needer[0]);
  }
}

/** Depth first in order of declaration, hardware before the kernel. */
function sort(machine: string, boards: ReadonlyMap<string, Fitted>): readonly Fitted[] {
  const sorted: Fitted[] = [];
  const settled = new Set<string>();
  const visit = (instance: string, path: readonly string[]): void => {
    if (settled.has(instance)) return;
    if (path.includes(instance)) throw cycle(machine, [...path.slice(path.indexOf(instance)), instance]);
    const f = boards.get(instance);
    if (f === undefined) return;
    for (const needed of needs(f)) visit(needed, [...path, instance]);
    settled.add(instance);
    sorted.push(f);
  };
  for (const lifetime of ['machine', 'boot'] as const)
    for (const [instance, f] of boards) if (f.lifetime === lifetime) visit(instance, []);
  return sorted;
}

/** Instances that have to be made before this one. */
export function needs(f: Fitted): readonly string[] {
  const found: string[] = [];
  for (const filler of f.one.values()) if (filler !== undefined && filler !== 'medium') found.push(filler);
  for (const instances of f.many.values()) found.push(...instances.values());
  return [...found, ...f.wrapped];
}

/** What one machine speaks, some machine has to serve; else the first call would be a riddle. */
function checkProtocols(machines: readonly FittedMachine[]): void {
  const served = new Set(machines.flatMap((m) => m.boards.flatMap((f) => servedBy(f, m))));
  for (const m of machines) {
    for (const { board, instance } of m.boards) {
      const unserved = board.speaks.find((p) => !served.has(p));
      if (unserved === undefined) continue;
      const inSlot = machines.flatMap((x) =>
        x.boards.filter((f) => f.board.slot === board.slot).flatMap((f) => servedBy(f, x)),
      );
      throw protocolUnserved({ machine: m.description.name, instance, board: board.name }, unserved, [
        ...new Set(inSlot),
      ]);
    }
  }
}

function servedBy(f: Fitted, m: FittedMachine): readonly string[] {
  return f.board.serves
    .filter((s) => s.where === undefined || m.boards.some((other) => other.board.slot === s.where))
    .map((s) => s.protocol);
}

/** The composition as data, for reports: boards by role, the first machine of each standing for all that are the same. */
export function describeKernels(composition: Composition): {
  readonly [kernel: string]: {
    readonly [instance: string]: { readonly name: string; readonly version: string; readonly options: Plain };
  };
} {
  const kernels: Record<string, Record<string, { name: string; version: string; options: Plain }>> = {};
  for (const m of composition.machines) {
    const key = m.description.kernel.name;
    if (kernels[key] !== undefined) continue;
    kernels[key] = Object.fromEntries(
      m.boards.map((f) => [
        f.instance,
        { name: f.board.name, version: f.board.version, options: f.board.options as Plain },
      ]),
    );
  }
  return kernels;
}
