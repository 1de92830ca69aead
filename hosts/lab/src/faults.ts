/**
 * Fault specifications: `loss=2%`, `crash=HOST@30s`. Parsed and checked before anything runs; explained in a sentence;
 * applied to a cluster when it starts. Link faults are rules of the medium, the others timers in the driver's scope.
 */
import { type Cluster, type MachineDescription, offered } from '@backplane/chassis';
import { ms, Timer } from '@backplane/engine';
import {
  corruptionRule,
  delayRule,
  duplicationRule,
  type FaultRule,
  type FaultWindow,
  lossRule,
  onewayRule,
  partitionRule,
  reorderRule,
} from '@backplane/hw-ethernet';
import { Busy, type Disk, type DiskRule, type LinkRule, nearest, slotOfInstance } from '@backplane/slots';
import { parseDuration } from './durations.ts';
import { unknownFault, wrongFault } from './errors.ts';

export interface Fault {
  readonly spec: string;
  /** What it does, in one sentence. */
  readonly sentence: string;
  /** Machines that it names. */
  readonly machines: readonly string[];
  /** The disks of its machine that it is about: one by its instance, or those that no other one is made of. */
  readonly disks?: 'offered' | { readonly instance: string };
  apply(cluster: Cluster): void;
}

type Parse = (spec: string, value: string) => Omit<Fault, 'spec'>;

const parsers: { readonly [kind: string]: Parse } = {
  loss: chanceFault(
    (probability) => (c) => lossRule(c.engine, c.engine.random('fault.loss'), { probability }),
  ),
  duplicate: chanceFault(
    (probability) => (c) => duplicationRule(c.engine, c.engine.random('fault.duplicate'), { probability }),
  ),
  corrupt: chanceFault(
    (probability) => (c) => corruptionRule(c.engine, c.engine.random('fault.corrupt'), { probability }),
  ),
  reorder: chanceFault(
    (probability) => (c) =>
      reorderRule(c.engine, c.engine.random('fault.reorder'), { probability, delayNsMax: ms(5) }),
  ),
  delay: (spec, value) => {
    const delayNs = duration(spec, value);
    return linkFault([], (c) => delayRule(c.engine, c.engine.random('fault.delay'), { delayNs }));
  },
  partition: (spec, value) => {
    const { what, window } = whenWindow(spec, value);
    const groups = what.split('|').map((g) => names(spec, g));
    if (groups.length < 2)
      throw wrongFault(spec, 'a partition has two sides.', 'Write partition=a,b|c@10s-20s');
    return linkFault(groups.flat(), (c) => partitionRule(c.engine, groups, window));
  },
  oneway: (spec, value) => {
    const { what, window } = whenWindow(spec, value);
    const [from, to] = what.split('>');
    if (from === undefined || to === undefined)
      throw wrongFault(spec, 'a one-way cut has a direction.', 'Write oneway=a>b@10s-20s');
    return linkFault([...names(spec, from), ...names(spec, to)], (c) =>
      onewayRule(c.engine, names(spec, from), names(spec, to), window),
    );
  },
  crash: (spec, value) => {
    const { machine, atNs } = machineAt(spec, value);
    return {
      machines: [machine],
      sentence: `At ${value.split('@')[1]} ${machine} loses its power: nothing of it runs on, and only what its disks hold survives.`,
      apply: (c) => at(c, `crash ${machine}`, atNs, () => c.machine(machine).crash()),
    };
  },
  reboot: (spec, value) => {
    const { machine, atNs } = machineAt(spec, value);
    return {
      machines: [machine],
      sentence: `At ${value.split('@')[1]} ${machine} is switched on again, if it is off.`,
      apply: (c) => at(c, `reboot ${machine}`, atNs, () => c.machine(machine).boot()),
    };
  },
  pause: (spec, value) => {
    const { what, window } = whenWindow(spec, value);
    const [machine = ''] = names(spec, what);
    const { fromNs = 0, untilNs } = window;
    if (untilNs === undefined) throw wrongFault(spec, 'a pause ends.', 'Write pause=HOST@10s-15s');
    return {
      machines: [machine],
      sentence: `From ${fromNs / 1e9} s until ${untilNs / 1e9} s the processors of ${machine} execute nothing else; it loses nothing, and packets wait at its interface.`,
      apply: (c) =>
        at(c, `pause ${machine}`, fromNs, () =>
          c
            .machine(machine)
            .board('processors')
            .interrupt(untilNs - fromNs, Busy.interrupt, () => {}),
        ),
    };
  },
  disk: (spec, value) => {
    const [where = '', what = ''] = value.split(':');
    const [machine = '', named] = where.split('/');
    const [kind, time] = what.split('@');
    const atNs = parseDuration(time ?? '');
    if (machine === '' || named === '' || kind !== 'error' || atNs === undefined)
      throw wrongFault(
        spec,
        'this is no disk fault.',
        'Write disk=HOST:error@40s, or of one disk disk=HOST/disk.2:error@40s',
      );
    const instance = named === undefined || slotOfInstance(named) === 'disk' ? named : `disk.${named}`;
    return {
      machines: [machine],
      disks: instance === undefined ? 'offered' : { instance },
      sentence:
        instance === undefined
          ? `At ${time} the next request to each disk of ${machine} fails with an I/O error; of disks that are made of others, to those and not to their parts.`
          : `At ${time} the next request to ${instance} of ${machine} fails with an I/O error.`,
      apply: (c) => at(c, `disk ${machine}`, atNs, () => failDisks(c, machine, instance)),
    };
  },
};

export const faultKinds: readonly string[] = Object.keys(parsers);

/** @throws BackplaneError with the nearest spelling */
export function parseFault(spec: string): Fault {
  const equals = spec.indexOf('=');
  const kind = equals < 0 ? spec : spec.slice(0, equals);
  const parse = parsers[kind];
  if (parse === undefined) throw unknownFault(spec, kind, faultKinds);
  if (equals < 0)
    throw wrongFault(
      spec,
      'it has no value.',
      `Write ${kind}=...; backplane run --explain-faults shows an example of each.`,
    );
  return { spec, ...parse(spec, spec.slice(equals + 1)) };
}

/** @throws BackplaneError when a fault names a machine or a disk that the cluster does not have */
export function checkFaultPlaces(faults: readonly Fault[], machines: readonly MachineDescription[]): void {
  const names = machines.map((m) => m.name);
  for (const { spec, disks, machines: struck } of faults) {
    const wrong = struck.find((m) => !names.includes(m));
    if (wrong !== undefined) throw notAmong(spec, `the cluster has no machine "${wrong}".`, wrong, names);
    if (disks === undefined) continue;
    for (const { name, kernel } of machines.filter((m) => struck.includes(m.name))) {
      const has = [...kernel.boards.keys()].filter((instance) => slotOfInstance(instance) === 'disk');
      if (has.length === 0)
        throw wrongFault(spec, `${name} has no disk.`, `Give it one: --set disk=BOARD for its role.`);
      if (disks !== 'offered' && !has.includes(disks.instance))
        throw notAmong(spec, `${name} has no "${disks.instance}".`, disks.instance, has);
    }
  }
}

function notAmong(spec: string, what: string, wrong: string, there: readonly string[]): Error {
  const near = nearest(wrong, there);
  return wrongFault(
    spec,
    what,
    near === undefined ? `There are: ${there.join(', ')}.` : `Did you mean "${near}"?`,
  );
}

function chanceFault(rule: (probability: number) => (c: Cluster) => FaultRule): Parse {
  return (spec, value) => {
    const probability = share(spec, value);
    return linkFault([], rule(probability));
  };
}

/** The sentence comes from the rule itself: one made on a clock that stands still. */
function linkFault(machines: readonly string[], rule: (c: Cluster) => FaultRule): Omit<Fault, 'spec'> {
  const random = { chance: () => false, below: () => 0 };
  const nowhere = { engine: { nowNs: 0, random: () => random } } as unknown as Cluster;
  return {
    machines,
    sentence: rule(nowhere).sentence,
    apply(c) {
      const link: LinkRule = rule(c);
      c.medium.addRule(link);
    },
  };
}

function failDisks(c: Cluster, machine: string, instance: string | undefined): void {
  const fitted = c.composition.machines.filter((m) => m.description.name === machine);
  const instances =
    instance === undefined ? fitted.flatMap((m) => offered(m, 'disk').map((f) => f.instance)) : [instance];
  for (const i of instances) failOnce(c.machine(machine).board('disk', i));
}

function failOnce(disk: Disk): void {
  const once: DiskRule = {
    name: 'error',
    judge: () => {
      undo();
      return 'error';
    },
  };
  const undo = disk.addRule(once);
}

function at(c: Cluster, name: string, atNs: number, act: () => void): void {
  new Timer(c.scope, name, act).setAt(atNs);
}

function share(spec: string, value: string): number {
  const match = /^(\d+(?:\.\d+)?)(%?)$/.exec(value);
  const p = match === null ? Number.NaN : Number(match[1]) / (match[2] === '%' ? 100 : 1);
  if (!(p >= 0 && p <= 1))
    throw wrongFault(spec, `"${value}" is no share.`, 'Write a share of the frames: 2% or 0.02');
  return p;
}

function duration(spec: string, value: string): number {
  const ns = parseDuration(value);
  if (ns === undefined)
    throw wrongFault(spec, `"${value}" is no duration.`, 'Write a duration such as 5ms, 30s, 2m');
  return ns;
}

function names(spec: string, text: string): readonly string[] {
  const found = text
    .split(',')
    .map((n) => n.trim())
    .filter((n) => n !== '');
  if (found.length === 0)
    throw wrongFault(spec, 'it names no machine.', 'Name the machines by their names, with commas between');
  return found;
}

function machineAt(spec: string, value: string): { readonly machine: string; readonly atNs: number } {
  const [machine = '', time = ''] = value.split('@');
  if (machine === '' || time === '')
    throw wrongFault(spec, 'it needs a machine and an instant.', 'Write HOST@30s');
  return { machine, atNs: duration(spec, time) };
}

/** `what@10s-20s`, `what@10s`, `what`. */
function whenWindow(spec: string, value: string): { readonly what: string; readonly window: FaultWindow } {
  const [what = '', time] = value.split('@');
  if (time === undefined) return { what, window: {} };
  const [from = '', until] = time.split('-');
  const window = {
    fromNs: duration(spec, from),
    ...(until !== undefined && { untilNs: duration(spec, until) }),
  };
  if (window.untilNs !== undefined && window.untilNs <= window.fromNs)
    throw wrongFault(spec, 'it ends before it begins.', 'Write the earlier instant first: @10s-20s');
  return { what, window };
}
