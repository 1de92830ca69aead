/**
 * Reading: from cached blocks, or, of a file that may not be cached, from the server in the program's own unit. The one
 * copy to the user is charged here; what the block cache does it charges itself.
 */
import { charge, type Task, task } from '@backplane/engine';
import { Busy, isKernelError, type Position, type Turn } from '@backplane/slots';
import type { ClientFile } from './client-file.ts';
import { readFile } from './io-procedures.ts';

const nothing = new Uint8Array(0);

/** The caller shares the file's access. @throws what a fetch throws */
export const readCached: (f: ClientFile, at: number, count: number) => Task<Uint8Array> =
  /* @__PURE__ */ task(function* readCached(f: ClientFile, at: number, count: number): Task<Uint8Array> {
    const { machine, blockCache, counters } = f.parts;
    const { blockBytes } = blockCache;
    f.accessNs = machine.engine.nowNs;
    const end = Math.min(at + count, f.sizeBytes);
    if (end <= at) return nothing;
    const first = Math.floor(at / blockBytes);
    const last = Math.floor((end - 1) / blockBytes);
    let bytes: Uint8Array;
    if (first === last) {
      const block = f.blocks.tryRead(first) ?? (yield* f.blocks.read(first));
      bytes = part(block, at - first * blockBytes, end - first * blockBytes);
    } else {
      bytes = new Uint8Array(end - at);
      for (let n = first; n <= last; n++) {
        const block = f.blocks.tryRead(n) ?? (yield* f.blocks.read(n));
        const from = Math.max(at - n * blockBytes, 0);
        bytes.set(
          block.subarray(from, Math.min(end - n * blockBytes, blockBytes)),
          n * blockBytes + from - at,
        );
      }
    }
    counters.bytesReadCached += bytes.length;
    charge(Math.round(machine.type.costs.copyNsPerByte * bytes.length), Busy.files);
    return bytes;
  });

/** The server may have less of a block than the file has by our own writes further on: what lies between is zeros. */
function part(block: Uint8Array, from: number, to: number): Uint8Array {
  if (to <= block.length) return from === 0 && to === block.length ? block : block.subarray(from, to);
  const bytes = new Uint8Array(to - from);
  if (from < block.length) bytes.set(block.subarray(from));
  return bytes;
}

export interface RemoteRead {
  readonly bytes: Uint8Array;
  readonly turn: Turn | null;
}

/** Of a position that is an offset or the end, the caller shares the file's access. */
export const readRemote: (f: ClientFile, p: Position, count: number) => Task<RemoteRead> =
  /* @__PURE__ */ task(function* readRemote(f: ClientFile, p: Position, count: number): Task<RemoteRead> {
    const { machine, calls, counters, unitBytes } = f.parts;
    const parts: Uint8Array[] = [];
    let got = 0;
    let turn: Turn | null = null;
    while (got < count) {
      const wanted = Math.min(count - got, unitBytes);
      const at = typeof p === 'number' ? p + got : p;
      try {
        const { record, data } = yield* calls.call(f.server, readFile, { file: f.id, at, count: wanted });
        turn = record;
        parts.push(data);
        got += data.length;
        if (data.length < wanted) break;
      } catch (e) {
        // The server does not know any more that this host shares the offset: what has been read is ours.
        if (got === 0 || !isKernelError(e, 'recovering')) throw e;
        break;
      }
    }
    counters.bytesReadRemote += got;
    charge(Math.round(machine.type.costs.copyNsPerByte * got), Busy.files);
    return { bytes: joined(parts, got), turn };
  });

function joined(parts: readonly Uint8Array[], length: number): Uint8Array {
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return only;
  const bytes = new Uint8Array(length);
  let end = 0;
  for (const p of parts) {
    bytes.set(p, end);
    end += p.length;
  }
  return bytes;
}
