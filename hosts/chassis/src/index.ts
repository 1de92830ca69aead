/** The plugin host: description in, running cluster out. */

export type { ClusterOptions } from './cluster.ts';
export { Cluster } from './cluster.ts';
export type { Composition, Fitted, FittedMachine } from './composition.ts';
export { compose, describeKernels, needs, offered, parseRequirement } from './composition.ts';
export type { ClusterDescription, Installed, MachineDescription } from './description.ts';
export type { MachineState } from './machine.ts';
export { ClusterMachine } from './machine.ts';
export { MetricReaders, MetricTotals } from './metrics.ts';
export type { MachineTraceKind } from './trace-kinds.ts';
