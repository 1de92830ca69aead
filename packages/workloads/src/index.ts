/** Workloads, by what they exercise. */

export type { AndrewPlaces, AndrewTimes, PhaseTime } from './andrew/andrew.ts';
export { andrew } from './andrew/andrew.ts';
export { Commands, executables } from './andrew/commands.ts';
export { andrewConstants } from './andrew/constants.ts';
export { find } from './andrew/phases.ts';
export type { SourceFile } from './andrew/source-tree.ts';
export { andrewSources } from './andrew/source-tree.ts';
export {
  includeDirectory,
  libraryBytes,
  libraryPath,
  passwordBytes,
  passwordFile,
  systemHeaders,
} from './andrew/system-files.ts';
export { mm1 } from './engine/mm1.ts';
export type { Outcome } from './engine/outcome.ts';
export { callbacks, w1 } from './engine/w1.ts';
export { w2 } from './engine/w2.ts';
export type { NameOperation, WriteOptions } from './file-operations.ts';
export { exists, nameOperations, readRate, timeName, writeRate } from './file-operations.ts';
export { roundTrips, serveRoundTrips } from './null-rpc.ts';
export type { Rpc8kCounts } from './rpc8k.ts';
export { rpc8kClient, serveRpc8k } from './rpc8k.ts';
export type { SharingOptions, Violation } from './sharing.ts';
export { recordBytes, SharedRecords, shareFiles } from './sharing.ts';
export { copyFile, createFile, OutputStream, readThrough, stdioBytes } from './stdio.ts';
export type { Exchange } from './transactions.ts';
export { mapBuffer, serveTransactions, transactions } from './transactions.ts';
export { Xorshift } from './xorshift.ts';
