/**
 * Reading, writing and cutting the bytes of a file: in the cache, and from there into the log and back. The caller of
 * `read`, `write` and `truncate` has the file's lock; a write-back needs none, since it adds to the log and changes the
 * index without anybody coming in between.
 *
 * Bytes beyond a file's end are zeros in the cache, so that a file may grow over them. A block that was never written has
 * no place and reads as zeros. A file block is one cache block, or several where `blockSectors` says so; it goes into the
 * log as a whole.
 */
import { type Task, tasks } from '@backplane/engine';
import { type BlockCache, type CachedObject, KernelError } from '@backplane/slots';
import type { DescriptorMap } from './descriptor-map.ts';
import type { BlockMover, Handle } from './handle.ts';
import { BlockKind, blockBytes, blockSectors, fileBytesMax, sectorBytes } from './layouts.ts';
import type { Log } from './log.ts';
import type { Owner } from './partial-write.ts';
import { nowhere, type Place, sectorOf, sectorsOf } from './place.ts';
import type { Space } from './space.ts';
import type { SegmentUsage } from './usage.ts';

export interface FileBytesParts {
  readonly cache: BlockCache;
  readonly keyPrefix: string;
  readonly log: Log;
  readonly map: DescriptorMap;
  readonly usage: SegmentUsage;
  readonly space: Space;
  readonly nowNs: () => number;
  /** Something of the file waits to go into the log. */
  readonly touch: (h: Handle) => void;
}

const nothing: Uint8Array = new Uint8Array(0);
/** What is dirty goes into the log when commits.ts says so. */
const neverByItself = { writeDelayNs: 'never' } as const;

export class FileBytes implements BlockMover {
  static {
    tasks(FileBytes);
  }

  readonly #parts: FileBytesParts;
  /** What the keys of files in the cache begin with. */
  readonly #key: string;

  constructor(parts: FileBytesParts) {
    this.#parts = parts;
    this.#key = `${parts.keyPrefix}:file.`;
  }

  *read(h: Handle, at: number, count: number): Task<Uint8Array> {
    const end = Math.min(h.descriptor.sizeBytes, at + count);
    if (end <= at) return nothing;
    const first = Math.floor(at / blockBytes);
    const last = Math.floor((end - 1) / blockBytes);
    const begin = at - first * blockBytes;
    if (first === last) {
      const bytes = h.object.tryRead(first) ?? (yield* this.#block(h, first));
      if (bytes.length >= begin + end - at) return bytes.subarray(begin, begin + end - at);
    }
    const all = new Uint8Array(end - at);
    for (let n = first; n <= last; n++) {
      const bytes = h.object.tryRead(n) ?? (yield* this.#block(h, n));
      const from = n * blockBytes - at;
      const skip = Math.max(0, -from);
      all.set(bytes.subarray(skip, Math.max(skip, end - n * blockBytes)), from + skip);
    }
    return all;
  }

  /** Bytes that a write adds to what the disk has to hold. */
  *added(h: Handle, at: number, count: number): Task<number> {
    let blocks = 0;
    for (let n = Math.floor(at / blockBytes); n * blockBytes < at + count; n++) {
      if (h.descriptor.sizeBytes > n * blockBytes) {
        const place = h.index.tryFind(fileBlock(h, n)) ?? (yield* h.index.find(fileBlock(h, n)));
        if (place !== nowhere) continue;
      }
      blocks++;
    }
    return blocks * blockBytes;
  }

  /** The same as `write`, of bytes in one block, where nobody has the lock and nothing has to be waited for. False: nothing has changed. */
  tryWrite(h: Handle, at: number, bytes: Uint8Array): boolean {
    const d = h.descriptor;
    const n = Math.floor(at / blockBytes);
    const from = at - n * blockBytes;
    const end = at + bytes.length;
    if (h.isLocked || bytes.length === 0 || from + bytes.length > blockBytes || end > fileBytesMax)
      return false;
    const valid = Math.min(blockBytes, d.sizeBytes - n * blockBytes);
    const fetchFirst = valid > 0 && (from > 0 || bytes.length < valid);
    if (h.object.tryWrite?.(n, from, bytes, { fetchFirst }) !== true) return false;
    d.sizeBytes = Math.max(d.sizeBytes, end);
    this.#parts.space.count(h);
    this.#changed(h);
    return true;
  }

  /** @throws KernelError `tooLarge`, `noSpace`, `ioError` */
  *write(h: Handle, at: number, bytes: Uint8Array): Task<void> {
    if (bytes.length === 0) return;
    const d = h.descriptor;
    const end = at + bytes.length;
    if (end > fileBytesMax) throw new KernelError('tooLarge');
    this.#parts.touch(h);
    try {
      for (let n = Math.floor(at / blockBytes); n * blockBytes < end; n++) {
        const start = n * blockBytes;
        const from = Math.max(at, start);
        const part =
          from === at && end <= start + blockBytes
            ? bytes
            : bytes.subarray(from - at, Math.min(end, start + blockBytes) - at);
        const valid = Math.min(blockBytes, d.sizeBytes - start);
        const fetchFirst = valid > 0 && (from > start || part.length < valid);
        if (h.object.tryWrite?.(n, from - start, part, { fetchFirst }) !== true)
          yield* h.object.write(n, from - start, part, { fetchFirst });
        d.sizeBytes = Math.max(d.sizeBytes, from + part.length);
      }
    } finally {
      this.#parts.space.count(h);
      this.#changed(h);
    }
  }

  /** @throws KernelError `tooLarge`, `ioError` */
  *truncate(h: Handle, sizeBytes: number): Task<void> {
    const d = h.descriptor;
    if (sizeBytes > fileBytesMax) throw new KernelError('tooLarge');
    if (sizeBytes < d.sizeBytes) yield* this.#cut(h, sizeBytes);
    d.sizeBytes = sizeBytes;
    this.#changed(h);
  }

  /** Gives everything that the file has in the log back. */
  *free(h: Handle): Task<void> {
    yield* h.index.loadAll();
    h.dropBlocks(0);
    this.#parts.space.count(h);
    for (const place of h.index.cut(0)) this.#gone(place);
    h.descriptor.sizeBytes = 0;
  }

  *#cut(h: Handle, sizeBytes: number): Task<void> {
    const d = h.descriptor;
    yield* h.index.loadAll();
    const last = Math.floor((sizeBytes - 1) / blockBytes);
    if (sizeBytes % blockBytes !== 0) {
      const valid = Math.min(blockBytes, d.sizeBytes - last * blockBytes);
      const from = sizeBytes - last * blockBytes;
      const there = h.index.tryFind(fileBlock(h, last)) ?? nowhere;
      if (there !== nowhere || h.object.tryRead(last) !== undefined)
        yield* h.object.write(last, from, new Uint8Array(valid - from), { fetchFirst: true });
    }
    h.dropBlocks(last + 1);
    for (const place of h.index.cut(sizeBytes === 0 ? 0 : fileBlock(h, last) + 1)) this.#gone(place);
    if (sizeBytes === 0) {
      d.truncations = (d.truncations + 1) >>> 0;
      this.#parts.map.truncated(h.id.number, d.truncations);
    }
    this.#parts.space.count(h);
  }

  #changed(h: Handle): void {
    const nowNs = this.#parts.nowNs();
    h.descriptor.modifyNs = nowNs;
    h.descriptor.changeNs = nowNs;
    h.changed = true;
    this.#parts.touch(h);
  }

  /** Nothing leads to this any more. */
  #gone(place: Place): void {
    this.#parts.usage.remove(sectorOf(place), sectorsOf(place) * sectorBytes);
  }

  *#block(h: Handle, n: number): Task<Uint8Array> {
    const block = fileBlock(h, n);
    const place = h.index.tryFind(block) ?? (yield* h.index.find(block));
    return place === nowhere ? nothing : yield* h.object.read(n);
  }

  // ---- between the cache and the log ----

  objectOf(h: Handle): CachedObject {
    const { number, generation } = h.id;
    // Two steps: each file has one more string in memory then, and not three.
    const name = `${number}.${generation}`;
    return this.#parts.cache.object(this.#key + name, h, neverByItself);
  }

  *fetch(h: Handle, n: number): Task<Uint8Array> {
    const block = fileBlock(h, n);
    const place = yield* h.index.find(block);
    if (place === nowhere) return nothing;
    const bytes = yield* this.#parts.log.read(place);
    const from = n * blockBytes - block * perBlock(h) * blockBytes;
    const valid = Math.min(blockBytes, h.descriptor.sizeBytes - n * blockBytes);
    return bytes.subarray(from, from + Math.max(0, valid));
  }

  /** A block goes into the log at once, where nothing has to be read or waited for. */
  tryWriteBack(h: Handle, n: number, bytes: Uint8Array): boolean {
    const { log } = this.#parts;
    if (log.failed || log.isBusy || perBlock(h) > 1 || h.index.tryFind(n) === undefined) return false;
    this.#stage(h, n, bytes);
    return true;
  }

  /** A block goes into the log. Where a file block is several cache blocks, the others go along. */
  *writeBack(h: Handle, n: number, bytes: Uint8Array): Task<void> {
    if (this.#parts.log.failed) yield* this.#parts.log.landed();
    const block = fileBlock(h, n);
    if (h.index.tryFind(block) === undefined) yield* h.index.load(block);
    const per = perBlock(h);
    if (per === 1) this.#stage(h, block, bytes);
    else yield* this.#writeWhole(h, block, n, bytes);
    this.#parts.space.count(h);
    yield* this.#parts.log.throttle();
  }

  /** The others are as the cache has them, or else as the log has them: nothing is brought into the cache for this. */
  *#writeWhole(h: Handle, block: number, n: number, bytes: Uint8Array): Task<void> {
    // It may have gone along with one of the others.
    if (h.wentAlong(block, h.index.tryFind(block) ?? nowhere, n, bytes)) return;
    let place = h.index.tryFind(block) ?? nowhere;
    let logged = nothing;
    // While one of the others is read, a third may have gone into the log: then it is read again.
    for (let read = nowhere; place !== read; place = h.index.tryFind(block) ?? nowhere) {
      read = place;
      logged = yield* this.#parts.log.read(place);
    }
    const first = block * perBlock(h);
    const end = Math.min(h.descriptor.sizeBytes - first * blockBytes, perBlock(h) * blockBytes);
    if (end <= 0) return;
    const whole = new Uint8Array(end);
    const parts = new Map<number, Uint8Array>();
    whole.set(logged.subarray(0, end));
    for (let i = first; (i - first) * blockBytes < end; i++) {
      const at = (i - first) * blockBytes;
      const part = i === n ? bytes : h.object.tryRead(i);
      if (part === undefined) continue;
      parts.set(i, part);
      whole.fill(0, at, Math.min(end, at + blockBytes));
      whole.set(part.subarray(0, end - at), at);
    }
    this.#stage(h, block, whole);
    h.together = { block, place: h.index.tryFind(block) ?? nowhere, parts };
  }

  #stage(h: Handle, block: number, bytes: Uint8Array): void {
    const { descriptor: d } = h;
    const start = block * d.blockSectors * sectorBytes;
    const length = Math.min(bytes.length, d.sizeBytes - start);
    if (h.gone || length <= 0) return; // cut off meanwhile
    this.put(h, block, bytes.length === length ? bytes : bytes.subarray(0, length), 0, d.modifyNs);
  }

  /** Puts a block's content into the log and leads the index there; the index blocks have been loaded. */
  put(h: Handle, block: number, bytes: Uint8Array, form: number, modifyNs: number): void {
    const { log, usage, touch } = this.#parts;
    const old = h.index.tryFind(block) ?? nowhere;
    const place = log.add(this.owner(h, BlockKind.data, modifyNs), block, 0, bytes, { form });
    if (old !== nowhere) this.#gone(old);
    usage.add(sectorOf(place), sectorsOf(place) * sectorBytes, modifyNs);
    h.index.set(block, place);
    h.changed = true;
    touch(h);
  }

  /** Brings the index blocks that have changed into the log. */
  putIndex(h: Handle): void {
    const { log, usage } = this.#parts;
    const { modifyNs } = h.descriptor;
    const owner = this.owner(h, BlockKind.index, modifyNs);
    h.index.stage((bytes, first, level, old) => {
      const place = log.add(owner, first, level, bytes);
      if (old !== nowhere) this.#gone(old);
      usage.add(sectorOf(place), sectorsOf(place) * sectorBytes, modifyNs);
      return place;
    });
  }

  owner(h: Handle, kind: Owner['kind'], modifyNs: number): Owner {
    const { number, generation } = h.id;
    return { kind, file: number, generation, truncations: h.descriptor.truncations, modifyNs };
  }
}

/** Cache blocks in one block of the file. */
const perBlock = (h: Handle): number => h.descriptor.blockSectors / blockSectors;
const fileBlock = (h: Handle, n: number): number => Math.floor(n / perBlock(h));
