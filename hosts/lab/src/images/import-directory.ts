/**
 * Puts a host's directory into a storage, file by file: content, directories, symbolic and hard links, modes, owners, times.
 * Names are taken in the order of their bytes. What a storage here has no place for (devices, sockets, pipes, names that
 * are not UTF-8) is left out and said.
 */

import type { BigIntStats } from 'node:fs';
import { closeSync, lstatSync, openSync, readdirSync, readlinkSync, readSync } from 'node:fs';
import { join } from 'node:path';
import type { Task } from '@backplane/engine';
import { type AttributeChange, type FileId, isKernelError, type NewFile } from '@backplane/slots';
import { cannotImport, hostReason, imageFull, unreadableDirectory } from './errors.ts';
import { imageNs } from './host-times.ts';
import type { Attached } from './store-machine.ts';
import { isZeros } from './zeros.ts';

export interface LeftOut {
  /** Relative to the directory that was imported or exported. */
  readonly path: string;
  readonly reason: string;
}

/** What has gone in, or come out, so far. */
export interface TransferCounts {
  files: number;
  directories: number;
  symlinks: number;
  /** Further names of files that had been counted. */
  hardLinks: number;
  bytes: number;
  /** Objects of which the storage does not keep a time, or not both. */
  timesLost: number;
  readonly leftOut: LeftOut[];
}

export const noneYet = (): TransferCounts => ({
  files: 0,
  directories: 0,
  symlinks: 0,
  hardLinks: 0,
  bytes: 0,
  timesLost: 0,
  leftOut: [],
});

/** Read and written at once: so large that calls cost nothing, and so small that many fit. */
export const pieceBytes: number = 1 << 20;

/** Written to the image after so much: dirty blocks do not fill the cache. */
const syncBytes = 16 << 20;
const syncObjects = 2000;

/** @param image its name, for errors */
export function* importDirectory(
  { storage, breathe }: Attached,
  o: { readonly image: string; readonly directory: string; readonly counts: TransferCounts },
): Task<void> {
  yield* new Import({ storage, breathe }, o).all();
}

class Import {
  readonly #attached: Attached;
  readonly #image: string;
  readonly #directory: string;
  readonly #counts: TransferCounts;
  /** Files with several names, by device and number on the host. */
  readonly #linked = new Map<string, FileId>();
  #bytes = 0;
  #objects = 0;

  constructor(
    attached: Attached,
    o: { readonly image: string; readonly directory: string; readonly counts: TransferCounts },
  ) {
    this.#attached = attached;
    this.#image = o.image;
    this.#directory = o.directory;
    this.#counts = o.counts;
  }

  *all(): Task<void> {
    const { storage } = this.#attached;
    const s = this.#host('', () => lstatSync(this.#directory, { bigint: true }));
    yield* this.#children(storage.root, '');
    yield* this.#keep(storage.root, s);
    yield* storage.sync();
  }

  *#children(parent: FileId, path: string): Task<void> {
    const names = this.#host(path, () => readdirSync(join(this.#directory, path), { encoding: 'buffer' }));
    for (const raw of names.sort(Buffer.compare)) {
      const name = raw.toString('utf8');
      const at = path === '' ? name : `${path}/${name}`;
      if (!Buffer.from(name).equals(raw)) this.#leaveOut(at, 'its name is not UTF-8');
      else yield* this.#object(parent, name, at);
    }
  }

  *#object(parent: FileId, name: string, path: string): Task<void> {
    const full = join(this.#directory, path);
    const s = this.#host(path, () => lstatSync(full, { bigint: true }));
    const linked = s.isFile() && s.nlink > 1n ? `${s.dev} ${s.ino}` : undefined;
    const before = linked === undefined ? undefined : this.#linked.get(linked);
    try {
      if (before !== undefined) {
        yield* this.#attached.storage.link(parent, name, before);
        this.#counts.hardLinks++;
      } else if (s.isDirectory()) yield* this.#folder(parent, name, path, s);
      else if (s.isSymbolicLink()) yield* this.#symlink(parent, name, path, s);
      else if (s.isFile()) {
        const file = yield* this.#file(parent, name, path, s);
        if (linked !== undefined) this.#linked.set(linked, file);
      } else this.#leaveOut(path, `it is ${sortOf(s)}`);
    } catch (e) {
      if (!isKernelError(e)) throw e;
      throw e.kind === 'noSpace'
        ? imageFull(this.#image, path)
        : cannotImport(this.#image, path, reasonOf(e.kind));
    }
    yield* this.#rest(1, 0);
  }

  *#folder(parent: FileId, name: string, path: string, s: BigIntStats): Task<void> {
    const { storage } = this.#attached;
    const there = yield* storage.lookup(parent, name);
    const isFolder = there !== undefined && (yield* storage.attributes(there)).type === 'directory';
    const folder =
      there !== undefined && isFolder ? there : yield* storage.create(parent, name, newFile('directory', s));
    this.#counts.directories++;
    yield* this.#children(folder, path);
    yield* this.#keep(folder, s);
  }

  *#symlink(parent: FileId, name: string, path: string, s: BigIntStats): Task<void> {
    const raw = this.#host(path, () => readlinkSync(join(this.#directory, path), { encoding: 'buffer' }));
    const target = raw.toString('utf8');
    if (!Buffer.from(target).equals(raw)) return this.#leaveOut(path, 'what it leads to is not UTF-8');
    const link = yield* this.#attached.storage.create(parent, name, { ...newFile('symlink', s), target });
    this.#counts.symlinks++;
    yield* this.#keep(link, s);
  }

  *#file(parent: FileId, name: string, path: string, s: BigIntStats): Task<FileId> {
    const { storage } = this.#attached;
    const file = yield* storage.create(parent, name, newFile('file', s));
    const fd = this.#host(path, () => openSync(join(this.#directory, path), 'r'));
    try {
      let sizeBytes = 0;
      let written = 0;
      for (;;) {
        // The storage keeps what it is given: each piece has memory of its own.
        const piece = Buffer.allocUnsafeSlow(Math.max(1, Math.min(pieceBytes, Number(s.size) - sizeBytes)));
        const n = this.#host(path, () => readSync(fd, piece, 0, piece.length, sizeBytes));
        if (n === 0) break;
        const bytes = piece.subarray(0, n);
        if (!isZeros(bytes)) {
          yield* storage.write(file, sizeBytes, bytes, 'delayed');
          written = sizeBytes + n;
        }
        sizeBytes += n;
        this.#counts.bytes += n;
        yield* this.#rest(0, n);
      }
      if (written < sizeBytes) yield* storage.truncate(file, sizeBytes);
    } finally {
      closeSync(fd);
    }
    this.#counts.files++;
    yield* this.#keep(file, s);
    return file;
  }

  /** Mode, owner and times, once nothing changes them any more. */
  *#keep(file: FileId, s: BigIntStats): Task<void> {
    const owned = { mode: modeOf(s), uid: Number(s.uid), gid: Number(s.gid) };
    const accessNs = imageNs(s.atimeNs);
    const modifyNs = imageNs(s.mtimeNs);
    const modified = { modifyNs, changeNs: modifyNs };
    if (yield* this.#set(file, { ...owned, ...modified, accessNs })) return;
    // One of the times has no room there: the others are kept.
    this.#counts.timesLost++;
    yield* this.#attached.storage.setAttributes(file, owned);
    yield* this.#set(file, modified);
    yield* this.#set(file, { accessNs });
  }

  /** False when the storage has no room for such a time. */
  *#set(file: FileId, change: AttributeChange): Task<boolean> {
    try {
      yield* this.#attached.storage.setAttributes(file, change);
      return true;
    } catch (e) {
      if (!isKernelError(e) || e.kind !== 'badArgument') throw e;
      return false;
    }
  }

  *#rest(objects: number, bytes: number): Task<void> {
    this.#objects += objects;
    this.#bytes += bytes;
    if (this.#objects < syncObjects && this.#bytes < syncBytes) return;
    this.#objects = 0;
    this.#bytes = 0;
    yield* this.#attached.storage.sync();
    yield* this.#attached.breathe();
  }

  #leaveOut(path: string, reason: string): void {
    this.#counts.leftOut.push({ path, reason });
  }

  #host<T>(path: string, call: () => T): T {
    try {
      return call();
    } catch (e) {
      throw unreadableDirectory(join(this.#directory, path), `${hostReason(e)}.`);
    }
  }
}

const modeOf = (s: BigIntStats): number => Number(s.mode) & 0o7777;

const newFile = (type: NewFile['type'], s: BigIntStats): NewFile => ({
  type,
  mode: modeOf(s),
  uid: Number(s.uid),
  gid: Number(s.gid),
});

function sortOf(s: BigIntStats): string {
  if (s.isSocket()) return 'a socket';
  if (s.isFIFO()) return 'a named pipe';
  return s.isBlockDevice() || s.isCharacterDevice() ? 'a device' : 'of an unknown type';
}

const reasonOf = (kind: string): string =>
  ({
    exists: 'there is something of that name already',
    tooLarge: 'it is larger than files can be there',
    tooManyLinks: 'it has more names than the storage counts',
    nameTooLong: 'its name is too long',
    ioError: 'the storage gives an I/O error: the image is damaged',
  })[kind] ?? kind;
