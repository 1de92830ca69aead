/**
 * Writing: into cached blocks, or, of a file that may not be cached, to the server in the program's own unit; and
 * truncation. A write that was interrupted by its server's crash goes on where it was.
 *
 * The copy from the user into a block is charged by the block cache; the one into a message here.
 */
import { charge, type Task, task } from '@backplane/engine';
import { Busy, isKernelError, KernelError, type Position, type Turn } from '@backplane/slots';
import type { ClientFile } from './client-file.ts';
import { truncateFile, writeFile } from './io-procedures.ts';

/** Offsets are words of 32 bits at the server. */
const fileBytesMax = 0xffff_ffff;

/** How far a write has come. */
export interface Progress {
  readonly bytes: Uint8Array;
  /** Where it began. */
  readonly at: Position;
  done: number;
  /** The offset after what is done. */
  next: number;
  turn: Turn | null;
}

/** The caller has the file's access alone. @throws KernelError `tooLarge`, `noSpace`, what a fetch throws */
export const writeCached: (f: ClientFile, w: Progress) => Task<void> = /* @__PURE__ */ task(
  function* writeCached(f: ClientFile, w: Progress): Task<void> {
    const { blockCache, counters } = f.parts;
    const { blockBytes } = blockCache;
    while (w.done < w.bytes.length) {
      const offset = typeof w.at === 'number' ? w.at + w.done : f.sizeBytes;
      const n = Math.floor(offset / blockBytes);
      const from = offset - n * blockBytes;
      const count = Math.min(blockBytes - from, w.bytes.length - w.done);
      if (offset + count > fileBytesMax) throw new KernelError('tooLarge');
      // What the block holds already matters unless all of it is overwritten.
      const valid = Math.min(blockBytes, f.sizeBytes - n * blockBytes);
      const fetchFirst = valid > 0 && (from > 0 || count < valid);
      yield* f.blocks.write(n, from, w.bytes.subarray(w.done, w.done + count), { fetchFirst });
      f.wrote(offset + count);
      counters.bytesWrittenCached += count;
      w.done += count;
      w.next = offset + count;
    }
  },
);

/** Unless it goes to a shared offset, the caller shares the file's access. */
export const writeRemote: (f: ClientFile, w: Progress) => Task<void> = /* @__PURE__ */ task(
  function* writeRemote(f: ClientFile, w: Progress): Task<void> {
    const { calls, counters, machine, unitBytes } = f.parts;
    while (w.done < w.bytes.length) {
      const data = w.bytes.subarray(w.done, w.done + unitBytes);
      // This host's own server half copies straight from the user into its block.
      if (!f.isLocal) charge(Math.round(machine.type.costs.copyNsPerByte * data.length), Busy.files);
      const at = typeof w.at === 'number' ? w.at + w.done : w.at;
      const record = { file: f.id, at, writeBack: null };
      const { next, turn } = yield* calls.call(f.server, writeFile, { record, data });
      counters.bytesWrittenRemote += data.length;
      f.changedAtServer();
      w.done += data.length;
      w.next = next;
      w.turn = turn;
    }
  },
);

/** Cuts or extends the file at the server, and here. The caller has the access alone. */
export const truncate: (f: ClientFile, sizeBytes: number) => Task<void> = /* @__PURE__ */ task(
  function* truncate(f: ClientFile, sizeBytes: number): Task<void> {
    let cancelled = true;
    try {
      yield* truncateOnce(f, sizeBytes);
      cancelled = false;
    } catch (e) {
      cancelled = false;
      throw e;
    } finally {
      // The server may have done it, or not: both must have the same before others go on.
      if (cancelled) yield* ifPossible(truncateOnce(f, sizeBytes));
    }
  },
);

function* truncateOnce(f: ClientFile, sizeBytes: number): Task<void> {
  const { calls } = f.parts;
  // A block on its way to the server must not arrive after the truncation.
  yield* f.gate.takeAlone();
  try {
    // After a crash of this host in the meantime what lies beyond must not come back, whether the server has cut or not.
    if (f.cacheable && sizeBytes < f.sizeBytes) f.tellAside(sizeBytes);
    yield* calls.call(f.server, truncateFile, { file: f.id, sizeBytes });
    f.changedAtServer();
    if (f.cacheable) cut(f, sizeBytes);
  } catch (e) {
    if (isKernelError(e) && e.kind !== 'peerDown') f.tellAside();
    throw e;
  } finally {
    f.gate.giveBack();
  }
  if (f.cacheable) yield* zeroTail(f);
}

/** Ends quietly if the server does not take it. What was to be written back stays dirty, and is tried again later. */
export function* ifPossible(operation: Task<void>): Task<void> {
  try {
    yield* operation;
  } catch (e) {
    if (!isKernelError(e)) throw e;
  }
}

function cut(f: ClientFile, sizeBytes: number): void {
  const before = f.sizeBytes;
  f.sizeBytes = sizeBytes;
  f.modifyNs = f.parts.machine.engine.nowNs;
  f.tellAside();
  if (sizeBytes >= before || f.cachedBlocks === 0) return;
  const { blockBytes } = f.parts.blockCache;
  const dirty = f.dirtyBlocks;
  const end = Math.ceil(sizeBytes / blockBytes);
  f.blocks.drop('all', end);
  f.aside?.dropped(end);
  f.parts.counters.blocksDiscarded += dirty - f.dirtyBlocks;
  // The last block, if it is clean, comes back from the server without what lay beyond.
  f.blocks.drop('clean', Math.floor(sizeBytes / blockBytes));
}

/** The last block, if it is dirty, may hold bytes beyond the end: an extension must find zeros there. */
function* zeroTail(f: ClientFile): Task<void> {
  const { blockBytes } = f.parts.blockCache;
  const last = Math.floor(f.sizeBytes / blockBytes);
  const end = f.sizeBytes - last * blockBytes;
  if (end === 0 || f.dirtyBlocks === 0) return;
  const beyond = (f.blocks.tryRead(last)?.length ?? 0) - end;
  if (beyond <= 0) return;
  yield* f.blocks.write(last, end, new Uint8Array(beyond), { fetchFirst: false });
  // It may have a copy aside only since now.
  f.tellAside();
}
