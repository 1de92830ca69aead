/** Workloads, by what they exercise. */
export type { RoundTrips } from './null-rpc.ts';
export { roundTrips, serveRoundTrips } from './null-rpc.ts';
export type { Rpc8kCounts } from './rpc8k.ts';
export { rpc8kClient, serveRpc8k } from './rpc8k.ts';
export { copyFile, createFile, OutputStream, readThrough, stdioBytes } from './stdio.ts';
export { Xorshift } from './xorshift.ts';
