/** What an experiment is: a cluster of some shape, a driver that runs workloads on it, and what its result means. */
import type { Cluster, ClusterMachine } from '@backplane/chassis';
import type { Task } from '@backplane/engine';
import type { Calls, Kernel, ManySlot, OneSlot, RunningProgram, Storage } from '@backplane/slots';
import type { Tree } from './tree.ts';

/** A table for people: a head and rows of text; numbers are formatted already. */
export interface ResultTable {
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
  readonly note?: string;
}

/** Curves over one pair of axes, for the report. */
export interface ResultPlot {
  readonly title: string;
  readonly xTitle: string;
  readonly yTitle: string;
  readonly curves: readonly Curve[];
}

export interface Curve {
  readonly name: string;
  /** From left to right. */
  readonly points: readonly { readonly x: number; readonly y: number }[];
  /** `formula`: the points are of a calculated curve, and show themselves as a line only. */
  readonly kind: 'measured' | 'formula';
}

/** What a driver works with, once every machine runs. */
export interface Laboratory<P> {
  readonly cluster: Cluster;
  readonly clients: readonly ClusterMachine[];
  readonly servers: readonly ClusterMachine[];
  readonly parameters: P;
  /** What `--tree` gave, or the experiment's own. */
  readonly tree: Tree | null;
  /** Starts a native program as the super user. */
  start(machine: ClusterMachine, name: string, program: (sys: Calls) => Task<number>): RunningProgram;
}

export interface Shape {
  readonly clients: number;
  readonly servers: number;
  /** How few clients and how many servers will do, where that is not one and any number. */
  readonly clientsMin?: number;
  readonly serversMax?: number;
  /** Types of machine by role. */
  readonly machineTypes: { readonly client: string; readonly server: string };
  /** Domains by server, from the first on; a server beyond the list has none of its own. */
  readonly prefixes: readonly (readonly string[])[];
  /** Boards that machines have in place of their kernels', as `--set` takes them; of two for a slot the user's counts. */
  readonly settings?: readonly string[];
  /** Slots left empty on every machine: what the workload does not use, and what would want a server. */
  readonly without?: readonly (OneSlot | ManySlot)[];
}

/** One thing that a user can turn: `--NAME value`. */
export interface ParameterText {
  readonly name: string;
  readonly value: string;
  readonly description: string;
}

export interface Experiment<P = unknown, R = unknown> {
  readonly name: string;
  readonly description: string;
  /** The kernel that a machine runs unless the user says otherwise, by its place among those of its role. Default `sprite`. */
  kernel?(index: number): string;
  /** What becomes of every kernel: for an experiment that watches a board. */
  watched?(kernel: Kernel): Kernel;
  /** Slots that it uses itself, and that a kernel may be without. */
  readonly uses?: readonly OneSlot[];
  /** The shape unless the user says otherwise; it may depend on the parameters. */
  shape(parameters: P): Shape;
  /** Parameters with their defaults, from the text that the user gave. @throws BackplaneError */
  parameters(given: Readonly<Record<string, string>>): P;
  readonly parameterTexts: readonly ParameterText[];
  /** Where a tree goes in the file system; no tree is taken when absent. */
  readonly treeAt?: string;
  /** The tree when `--tree` is not given. */
  defaultTree?(): Tree;
  /** Puts what every run needs into the root's storage, before anything else. */
  prepare?(storage: Storage): Task<void>;
  run(lab: Laboratory<P>): Task<R>;
  /** Exit status 1 if not. */
  passed?(result: R): boolean;
  /** The numbers that a comparison compares, by dotted name with the unit at the end. */
  measures(result: R): Readonly<Record<string, number>>;
  table(result: R): ResultTable;
  /** What a report shows beside the table; without it, bars of the measures alone. */
  plots?(result: R): readonly ResultPlot[];
}

/** Keeps the types of parameters and result together while it is written down. */
export const defineExperiment = <P, R>(e: Experiment<P, R>): Experiment<P, R> => e;
