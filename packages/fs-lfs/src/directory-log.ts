/**
 * The directory operation log: what was done to names and is not yet in directories and descriptors on the disk. The
 * records stand in the log before everything that shows their effect, and hold what is needed to do the operation again:
 * an fsync writes these few bytes, and the directories follow with the next sync or checkpoint.
 */
import { isTime } from '@backplane/file-service';
import { type FileType, fileTypes } from '@backplane/slots';
import { decodeUtf8, encodeUtf8Into, utf8Length } from '@backplane/wire';
import {
  blockBytes,
  blockHeader,
  type DirectoryLogRecord,
  DirectoryOperation,
  directoryLogMagic,
  directoryLogRecord,
  isSealed,
  type RenamePart,
  renamePart,
  seal,
  sectorBytes,
} from './layouts.ts';
import { fromWire, putNs } from './times.ts';

interface Operated {
  readonly file: number;
  readonly generation: number;
  readonly links: number;
  readonly timeNs: number;
}
/** One operation on a name, with the link counts as they are afterwards. */
export interface Named extends Operated {
  readonly operation: 'create' | 'link' | 'unlink' | 'rename';
  readonly type: FileType;
  /** These three of a file that is created. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly directory: number;
  readonly directoryGeneration: number;
  readonly directoryLinks: number;
  readonly name: string;
}
export interface Renamed extends Named {
  readonly operation: 'rename';
  readonly oldName: string;
  readonly from: RenamePart;
}
interface Freed extends Operated {
  readonly operation: 'free';
}
export type NameChange = (Named & { readonly operation: 'create' | 'link' | 'unlink' }) | Renamed | Freed;

interface Block {
  readonly bytes: Uint8Array;
  end: number;
  count: number;
}

/** Operations that no group in the log has yet. They are written down at once, so that none leaves an object in memory. */
export class PendingChanges {
  #blocks: Block[] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  add(change: NameChange): void {
    let block = this.#blocks.at(-1);
    if (block === undefined || block.end + recordBytes(change) > blockBytes) {
      block = { bytes: new Uint8Array(blockBytes), end: blockHeader.size, count: 0 };
      this.#blocks.push(block);
    }
    block.end = encodeChange(change, block.bytes, block.end);
    block.count++;
    this.#length++;
  }

  /** Those that were done before all that are here. */
  addBefore(changes: readonly NameChange[]): void {
    const later = [...this.encoded(0)].flatMap((bytes) => decodeNameChanges(bytes) ?? []);
    this.clear();
    for (const change of [...changes, ...later]) this.add(change);
  }

  clear(): void {
    this.#blocks = [];
    this.#length = 0;
  }

  /** Blocks with all of them, the first of which has this sequence number. They are copies: more may follow in the last. */
  *encoded(sequence: number): Iterable<Uint8Array> {
    let next = sequence;
    for (const { bytes, end, count } of this.#blocks) {
      const block = bytes.slice(0, Math.ceil(end / sectorBytes) * sectorBytes);
      blockHeader.encode(
        { magic: directoryLogMagic, checksum: 0, owner: 0, generation: 0, index: 0, count },
        block,
      );
      for (let at = blockHeader.size; at < end; at = recordEnd(block, at))
        directoryLogRecord.set.sequence(block, at, next++ >>> 0);
      yield seal(block);
    }
  }
}

function recordEnd(bytes: Uint8Array, at: number): number {
  const { get, size } = directoryLogRecord;
  const end = at + size + get.nameBytes(bytes, at) + get.oldNameBytes(bytes, at);
  return get.operation(bytes, at) === DirectoryOperation.rename ? end + renamePart.size : end;
}

/** At most 634 bytes: a block always holds some. */
function recordBytes(c: NameChange): number {
  if (c.operation === 'free') return directoryLogRecord.size;
  const size = directoryLogRecord.size + utf8Length(c.name);
  return c.operation === 'rename' ? size + renamePart.size + utf8Length(c.oldName) : size;
}

/**
 * All but the sequence number, field by field into zeros, since every operation on names comes through here.
 * @returns where the next record goes
 */
function encodeChange(c: NameChange, bytes: Uint8Array, at: number): number {
  const { set, offset, size } = directoryLogRecord;
  set.operation(bytes, at, DirectoryOperation[c.operation]);
  putNs(bytes, at + offset.timeNs, c.timeNs);
  set.file(bytes, at, c.file);
  set.generation(bytes, at, c.generation);
  set.links(bytes, at, c.links);
  let end = at + size;
  if (c.operation === 'free') return end;
  set.type(bytes, at, fileTypes.indexOf(c.type));
  set.directory(bytes, at, c.directory);
  set.directoryGeneration(bytes, at, c.directoryGeneration);
  set.directoryLinks(bytes, at, c.directoryLinks);
  const nameEnd = encodeUtf8Into(c.name, bytes, end);
  set.nameBytes(bytes, at, nameEnd - end);
  end = nameEnd;
  if (c.operation === 'create') {
    set.mode(bytes, at, c.mode);
    set.uid(bytes, at, c.uid);
    set.gid(bytes, at, c.gid);
  } else if (c.operation === 'rename') {
    renamePart.encode(c.from, bytes, end);
    const oldNameAt = end + renamePart.size;
    end = encodeUtf8Into(c.oldName, bytes, oldNameAt);
    set.oldNameBytes(bytes, at, end - oldNameAt);
  }
  return end;
}

/** The operations of a block; undefined when it is damaged. */
export function decodeNameChanges(bytes: Uint8Array): readonly NameChange[] | undefined {
  const h = blockHeader.tryDecode(bytes);
  if (h === undefined || h.magic !== directoryLogMagic || !isSealed(bytes)) return undefined;
  const changes: NameChange[] = [];
  let at = blockHeader.size;
  for (let i = 0; i < h.count; i++) {
    const r = directoryLogRecord.tryDecode(bytes, at);
    if (r === undefined) return undefined;
    at += directoryLogRecord.size;
    const name = bytes.subarray(at, at + r.nameBytes);
    at += r.nameBytes;
    let rename: { readonly part: RenamePart; readonly oldName: string } | null = null;
    if (r.operation === DirectoryOperation.rename) {
      const part = renamePart.tryDecode(bytes, at);
      if (part === undefined) return undefined;
      at += renamePart.size;
      rename = { part, oldName: decodeUtf8(bytes.subarray(at, at + r.oldNameBytes)) };
      at += r.oldNameBytes;
    }
    if (at > bytes.length) return undefined;
    const change = changeFrom(r, decodeUtf8(name), rename);
    if (change === undefined) return undefined;
    changes.push(change);
  }
  return changes;
}

function changeFrom(
  r: DirectoryLogRecord,
  name: string,
  rename: { readonly part: RenamePart; readonly oldName: string } | null,
): NameChange | undefined {
  const operated = {
    file: r.file,
    generation: r.generation,
    links: r.links,
    timeNs: fromWire(r.timeNs),
  };
  if (r.operation === DirectoryOperation.free) return { ...operated, operation: 'free' };
  const type = fileTypes[r.type];
  if (type === undefined || name === '' || !isTime(operated.timeNs)) return undefined;
  const named = {
    ...operated,
    type,
    mode: r.mode & 0o7777,
    uid: r.uid,
    gid: r.gid,
    directory: r.directory,
    directoryGeneration: r.directoryGeneration,
    directoryLinks: r.directoryLinks,
    name,
  };
  switch (r.operation) {
    case DirectoryOperation.create:
      return { ...named, operation: 'create' };
    case DirectoryOperation.link:
      return { ...named, operation: 'link' };
    case DirectoryOperation.unlink:
      return { ...named, operation: 'unlink' };
    case DirectoryOperation.rename:
      return rename === null
        ? undefined
        : { ...named, operation: 'rename', oldName: rename.oldName, from: rename.part };
    default:
      return undefined;
  }
}
