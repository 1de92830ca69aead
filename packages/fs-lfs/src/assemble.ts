/** An attached disk: its parts put together, and the log rolled forward with them. */
import { seconds, type Task, task } from '@backplane/engine';
import {
  type BlockCache,
  type CleaningPolicy,
  type Disk,
  isKernelError,
  type Machine,
} from '@backplane/slots';
import type { AgeOptions } from './age.ts';
import type { Attached, FormatOptions } from './attach.ts';
import { Commits } from './commits.ts';
import { newDescriptor } from './descriptor.ts';
import { DescriptorBlocks } from './descriptor-blocks.ts';
import type { DescriptorMap } from './descriptor-map.ts';
import { FileBytes } from './file-bytes.ts';
import type { Geometry } from './geometry.ts';
import { Handles } from './handles.ts';
import { blockBytes, rootNumber, sectorBytes } from './layouts.ts';
import { Log } from './log.ts';
import { Names } from './names.ts';
import { type Recovered, RollForward } from './roll-forward.ts';
import { SegmentCleaner } from './segment-cleaner.ts';
import { Space } from './space.ts';
import { Tables } from './tables.ts';
import type { SegmentUsage } from './usage.ts';

export interface StorageOptions extends FormatOptions, AgeOptions {
  readonly domain: number;
  /** Is an operation on names on the disk before it returns? */
  readonly synchronous: boolean;
  readonly utilisationMax: number;
  readonly cleanSegmentsMin: number;
  readonly segmentsPerRound: number;
  readonly fileBlockBytes: number;
  readonly compressAfterSeconds: number;
}

/** What there is while the disk is attached. */
export interface Parts {
  readonly log: Log;
  readonly map: DescriptorMap;
  readonly usage: SegmentUsage;
  readonly space: Space;
  readonly handles: Handles;
  readonly bytes: FileBytes;
  readonly commits: Commits;
  readonly tables: Tables;
  readonly names: Names;
  readonly cleaner: SegmentCleaner;
}

export interface Needs {
  /** With the scope of this attachment. */
  readonly machine: Machine;
  readonly disk: Disk;
  readonly cache: BlockCache;
  readonly policy: CleaningPolicy;
}

export function assemble(
  { machine, disk, cache, policy }: Needs,
  found: Attached,
  options: StorageOptions,
): Parts {
  const { geometry, regions, state, map, usage, position } = found;
  const { domain } = options;
  const mounts = (state.mounts + 1) >>> 0;
  const keyPrefix = `@backplane/fs-lfs:${domain}`;
  const log = new Log({ disk, machine, geometry, usage }, position, mounts);
  const reserve = geometry.writeOnce ? 1 : reserveOf(geometry, options);
  const space: Space = new Space(
    { geometry, usage, log, tablesBytes: () => tables.bytes },
    { reserve, utilisationMax: options.utilisationMax },
  );
  const bytes: FileBytes = new FileBytes({
    cache,
    keyPrefix,
    log,
    map,
    usage,
    space,
    nowNs: () => machine.engine.nowNs,
    touch: (h) => commits.touch(h),
  });
  const blocks = new DescriptorBlocks(cache, keyPrefix, geometry, log);
  const handles = new Handles({ domain, geometry, map, log, blocks }, bytes);
  const tables: Tables = new Tables({ machine, geometry, log, map, usage, mounts }, state);
  const commits = new Commits(
    { machine, disk, geometry, log, map, usage, space, regions },
    bytes,
    tables,
    options,
  );
  const names = new Names({
    handles,
    bytes,
    commits,
    map,
    usage,
    // No number is used so often in one boot that its generations would reach those of the next.
    generationMin: (mounts & 0xffff) * 0x10000,
    blockSectors: options.fileBlockBytes / sectorBytes,
  });
  const cleaner = new SegmentCleaner(
    { machine, geometry, policy, log, map, usage, space, handles, bytes, commits, tables },
    {
      segmentsPerRound: options.segmentsPerRound,
      cleanSegmentsLow: reserve + 2,
      compressAfterNs: seconds(options.compressAfterSeconds),
    },
  );
  commits.onStuck = () => cleaner.rescue();
  log.onSegment = (segment) => {
    blocks.forget(segment);
    cleaner.wake();
    commits.age.grown();
  };
  return { log, map, usage, space, handles, bytes, commits, tables, names, cleaner };
}

/** What a round of the cleaner writes before anything is won, with its checkpoints; less on a disk of few segments. */
function reserveOf({ segments, segmentBytes, usageBlocks }: Geometry, o: StorageOptions): number {
  if (o.cleanSegmentsMin > 0) return o.cleanSegmentsMin;
  const checkpoints = Math.ceil((4 * (usageBlocks + 4) * blockBytes) / segmentBytes);
  return Math.min(o.segmentsPerRound + 2 + checkpoints, Math.floor(segments / 4));
}

/** Takes over what the log has after the checkpoint, frees what no name leads to, and makes a checkpoint of that. */
export const rollForward: (parts: Parts, found: Attached, machine: Machine) => Task<Recovered> =
  /* @__PURE__ */ task(function* rollForward(
    parts: Parts,
    { state, tail }: Attached,
    { type, engine }: Machine,
  ): Task<Recovered> {
    const { map, usage, handles, commits, tables } = parts;
    const recovered = yield* new RollForward({
      map,
      usage,
      handles,
      touch: (h) => commits.touch(h),
      fileNs: type.costs.recoveredFileNs,
    }).apply(tail.blocks);
    tables.advance(recovered.names);
    if (state.mounts === 0 && !map.isAllocated(rootNumber)) makeRoot(parts, engine.nowNs);
    yield* freeUnlinked(parts);
    try {
      yield* commits.checkpoint();
    } catch (e) {
      // A full disk can still be read, and room be made on it.
      if (!isKernelError(e, 'noSpace')) throw e;
    }
    const root = { domain: handles.domain, number: rootNumber, generation: 1 };
    handles.release(yield* handles.holdDirectory(root));
    return recovered;
  });

function makeRoot({ map, handles, commits }: Parts, nowNs: number): void {
  map.allocate(rootNumber, 1);
  map.accessed(rootNumber, nowNs);
  const d = newDescriptor({ type: 'directory', mode: 0o755, uid: 0, gid: 0 }, 1, nowNs);
  d.parent = rootNumber;
  const h = handles.enter(rootNumber, d);
  h.changed = true;
  commits.touch(h);
  handles.release(h);
}

/** Frees files that no name leads to, and that were kept because they were open. */
export const freeUnlinked: (parts: Parts) => Task<void> = /* @__PURE__ */ task(function* freeUnlinked({
  map,
  handles,
  names,
}: Parts): Task<void> {
  for (const number of [...map.allUnlinked()]) {
    const h = yield* handles.hold({ domain: handles.domain, number, generation: map.generation(number) });
    yield* h.lock.acquire();
    try {
      if (h.descriptor.links > 0) map.unlinked(number, false);
      else if (!h.gone) yield* names.reclaim(h);
    } finally {
      h.unlock();
      handles.release(h);
    }
  }
});
