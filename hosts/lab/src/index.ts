/** Experiments on emulated clusters. */
export type { CatalogueEntry } from './catalogue.ts';
export { catalogue, machineType } from './catalogue.ts';
export { parseDuration } from './durations.ts';
export type { Experiment, Laboratory, ParameterText, ResultTable, Shape } from './experiment.ts';
export { defineExperiment } from './experiment.ts';
export { experiment, experiments } from './experiments/index.ts';
export type { Fault } from './faults.ts';
export { faultKinds, parseFault } from './faults.ts';
export { importTree } from './import-tree.ts';
export type { PreparedRun, RunResult, RunSettings } from './run.ts';
export { prepare, runExperiment } from './run.ts';
export type { Setting } from './setting.ts';
export { applySettings, parseSetting } from './setting.ts';
export type { Tree, TreeEntry } from './tree.ts';
export { readTree } from './tree.ts';
export type { Divergence, Verification } from './verify.ts';
export { firstDivergence, verifyExperiment } from './verify.ts';
