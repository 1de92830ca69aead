/** Crash tests of storages. */

export type { CampaignOptions, CampaignProgress, CampaignResult, Sequences } from './campaign.ts';
export { campaign } from './campaign.ts';
export type { Case } from './counterexample.ts';
export { formatCase, parseCase } from './counterexample.ts';
export { noSuchWorkload, wrongStore } from './errors.ts';
export type { Generated } from './generate.ts';
export { sampledSequences, sequencesOf } from './generate.ts';
export type { CrashOperation, CrashWorkload, Demand } from './operation.ts';
export { crashWorkload } from './operation.ts';
export type { Part } from './parts.ts';
export { Probe } from './probe.ts';
export type { Replayed } from './replay.ts';
export { replay } from './replay.ts';
export { readWorkloads, shippedNames, shippedWorkload } from './shipped.ts';
export { shrink } from './shrink.ts';
export type { CrashKind, StateSpec } from './states.ts';
export { crashKinds } from './states.ts';
export type { Promises, Spare, StoreUnderTest } from './store.ts';
export { defineStore, leastPromises } from './store.ts';
export { lfs, ofs, storeNamed, storeNames } from './stores.ts';
export type { Failure, KindCount, Tally } from './tally.ts';
export type { Origin } from './tasks.ts';
export { type DiskSize, Tester } from './tester.ts';
export type { Violation } from './violation.ts';
