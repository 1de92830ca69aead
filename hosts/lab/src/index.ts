/** Experiments on emulated clusters. */

export { captureDissectors, captureFrames } from './capture.ts';
export type { CatalogueEntry } from './catalogue.ts';
export { catalogue, machineType } from './catalogue.ts';
export type { ComparedMetric, Comparison, ComparisonTask } from './compare.ts';
export { compareExperiment } from './compare.ts';
export { parseDuration } from './durations.ts';
export type {
  Curve,
  Experiment,
  Laboratory,
  ParameterText,
  ResultPlot,
  ResultTable,
  Shape,
} from './experiment.ts';
export { defineExperiment } from './experiment.ts';
export { experiment, experiments } from './experiments/index.ts';
export type { Fault } from './faults.ts';
export { faultKinds, parseFault } from './faults.ts';
export type { MadeImage, Transfer, Turn } from './images/image.ts';
export { createImage, exportImage, importIntoImage } from './images/image.ts';
export { ImageDisk } from './images/image-disk.ts';
export { ImageFile } from './images/image-file.ts';
export type { LeftOut, TransferCounts } from './images/import-directory.ts';
export type { RunImage } from './images/run-images.ts';
export { imagesDirectory, writeRunImages } from './images/run-images.ts';
export type { Attached } from './images/store-machine.ts';
export { withStorage } from './images/store-machine.ts';
export { auditImage, formatOf, storageNamed, storeFormats } from './images/stores.ts';
export { importTree } from './import-tree.ts';
export type { Interval } from './intervals.ts';
export type { KernelFor, KernelPlace } from './kernels.ts';
export { everywhere, kernelNamed, kernelNames } from './kernels.ts';
export { hostModules } from './modules.ts';
export type { Performed } from './operations/execute.ts';
export type { Condition, Content, FileOperation, Step, Workload } from './operations/operation.ts';
export { parseOperations } from './operations/parse.ts';
export type { Value } from './operations/values.ts';
export { readValue } from './operations/values.ts';
export type { PublishedConstant } from './published/constants.ts';
export { publishedConstants } from './published/constants.ts';
export { publishedTable, publishedTables } from './published/index.ts';
export type { PublishedRow, PublishedTable } from './published/table.ts';
export { medianDeviation, withinBand } from './published/table.ts';
export type { Plan, PreparedRun, RunResult, RunSettings } from './run.ts';
export { planRun, prepare, runExperiment } from './run.ts';
export type { RunRequest, Runs } from './runs.ts';
export { runAll } from './runs.ts';
export type { Setting, SettingWords } from './setting.ts';
export { applySettings, parseSetting, splitSetting } from './setting.ts';
export { Timeline } from './timeline.ts';
export type { Tree, TreeEntry } from './tree.ts';
export { readTree } from './tree.ts';
export type { Divergence, Verification } from './verify.ts';
export { verification, verifyExperiment } from './verify.ts';
export type { CallingProcess, CallWatcher } from './watched-calls.ts';
