/**
 * What single operations on files cost, one after the other as a program sees them: names, and bytes by the block
 * (the measurements of Nelson, Welch and Ousterhout 1988, "Caching in the Sprite network file system").
 */
import type { Task } from '@backplane/engine';
import type { Calls } from '@backplane/slots';
import { isThere } from './missing.ts';

/** Bytes of one read or write. */
const unitBytes = 4096;

export const nameOperations = ['open and close', 'failed open', 'stat'] as const;
export type NameOperation = (typeof nameOperations)[number];

/** Does one operation so many times; returns the nanoseconds of one. Done once more before, so that hints are learnt. */
export function* timeName(sys: Calls, operation: NameOperation, path: string, repeats: number): Task<number> {
  yield* once(sys, operation, path);
  const startNs = yield* sys.time();
  for (let i = 0; i < repeats; i++) yield* once(sys, operation, path);
  return ((yield* sys.time()) - startNs) / repeats;
}

function* once(sys: Calls, operation: NameOperation, path: string): Task<void> {
  if (operation === 'stat') yield* sys.stat(path);
  else if (operation === 'open and close') yield* openAndClose(sys, path);
  else {
    const missing = `${path}.missing`;
    if (yield* exists(sys, missing)) throw new Error(`file operations: ${missing} is there`);
  }
}

/** Tries to open a file for reading. */
export const exists = (sys: Calls, path: string): Task<boolean> => isThere(openAndClose(sys, path));

function* openAndClose(sys: Calls, path: string): Task<void> {
  yield* sys.close(yield* sys.open(path, { read: true }));
}

/** Reads a file from end to end; returns bytes per second, open and close left out. */
export function* readRate(sys: Calls, path: string): Task<number> {
  const fd = yield* sys.open(path, { read: true });
  const startNs = yield* sys.time();
  let total = 0;
  for (;;) {
    const { length } = yield* sys.read(fd, unitBytes);
    if (length === 0) break;
    total += length;
  }
  const tookNs = (yield* sys.time()) - startNs;
  yield* sys.close(fd);
  return total / (tookNs / 1e9);
}

export interface WriteOptions {
  readonly sizeBytes: number;
  /** Ends when every byte is on the server's disk. */
  readonly synced: boolean;
}

/** Writes a file from its beginning, made if it is not there; returns bytes per second, open and close left out. */
export function* writeRate(sys: Calls, path: string, { sizeBytes, synced }: WriteOptions): Task<number> {
  const fd = yield* sys.open(path, { write: true, create: true, mode: 0o644 });
  const unit = new Uint8Array(unitBytes).fill(0x53);
  const startNs = yield* sys.time();
  for (let at = 0; at < sizeBytes; at += unitBytes) yield* sys.write(fd, unit);
  if (synced) yield* sys.sync(fd);
  const tookNs = (yield* sys.time()) - startNs;
  yield* sys.close(fd);
  return sizeBytes / (tookNs / 1e9);
}
