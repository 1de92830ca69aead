/**
 * Takes everything out of a storage and into a host's directory. What the host has no call for from here (devices, pipes,
 * pseudo-devices), and what cannot be read, is left out and said. Names are the image's and not trusted: nothing is
 * written through a link, and nothing outside of the directory.
 */
import {
  chmodSync,
  closeSync,
  ftruncateSync,
  lchownSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  openSync,
  readdirSync,
  symlinkSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Task } from '@backplane/engine';
import { type FileId, isKernelError, type Storage, type StoredAttributes } from '@backplane/slots';
import { decodeUtf8 } from '@backplane/wire';
import { hostReason, noEmptyDirectory } from './errors.ts';
import { hostSeconds } from './host-times.ts';
import { pieceBytes, type TransferCounts } from './import-directory.ts';
import type { Attached } from './store-machine.ts';
import { isZeros } from './zeros.ts';

/** Makes the directory if it is not there. @throws BackplaneError when there is something else, or something in it */
export function emptyDirectory(directory: string): void {
  try {
    mkdirSync(directory, { recursive: true });
    if (readdirSync(directory).length > 0) throw noEmptyDirectory(directory, 'there is something in it.');
  } catch (e) {
    throw e instanceof Error && 'syscall' in e ? noEmptyDirectory(directory, `${hostReason(e)}.`) : e;
  }
}

export function* exportDirectory(
  attached: Attached,
  o: { readonly directory: string; readonly counts: TransferCounts },
): Task<void> {
  yield* new Export(attached, o.directory, o.counts).all();
}

const restBytes = 16 << 20;
const restObjects = 500;

class Export {
  readonly #storage: Storage;
  readonly #attached: Attached;
  readonly #directory: string;
  readonly #counts: TransferCounts;
  /** Files with several names: where the first one went. */
  readonly #linked = new Map<number, string>();
  /** A damaged image may lead round in circles. */
  readonly #entered = new Set<number>();
  #sinceRest = 0;

  constructor(attached: Attached, directory: string, counts: TransferCounts) {
    this.#attached = attached;
    this.#storage = attached.storage;
    this.#directory = directory;
    this.#counts = counts;
  }

  *all(): Task<void> {
    const { root } = this.#storage;
    yield* this.#children(root, '');
    this.#keep(yield* this.#storage.attributes(root), '');
  }

  *#children(folder: FileId, path: string): Task<void> {
    this.#entered.add(folder.number);
    for (const { name, file } of yield* this.#storage.entries(folder)) {
      const at = path === '' ? name : `${path}/${name}`;
      if (!isHostName(name)) this.#leaveOut(at, 'the host has no such names');
      else yield* this.#object(file, at);
    }
  }

  *#object(file: FileId, path: string): Task<void> {
    try {
      const a = yield* this.#storage.attributes(file);
      if (a.type === 'directory') yield* this.#folder(file, a, path);
      else if (a.type === 'symlink') yield* this.#symlink(file, a, path);
      else if (a.type === 'file') yield* this.#file(file, a, path);
      else this.#leaveOut(path, `it is of type ${a.type}`);
    } catch (e) {
      if (isKernelError(e)) this.#leaveOut(path, `it cannot be read: ${e.kind}`);
      else if (e instanceof Error && 'syscall' in e) this.#leaveOut(path, `the host says: ${hostReason(e)}`);
      else throw e;
    }
    yield* this.#rest(restBytes / restObjects);
  }

  *#folder(file: FileId, a: StoredAttributes, path: string): Task<void> {
    if (this.#entered.has(file.number)) return this.#leaveOut(path, 'the directory is already elsewhere');
    mkdirSync(this.#host(path), { mode: 0o700 });
    this.#counts.directories++;
    yield* this.#children(file, path);
    this.#keep(a, path);
  }

  *#symlink(file: FileId, a: StoredAttributes, path: string): Task<void> {
    const target = decodeUtf8(yield* this.#storage.read(file, 0, a.sizeBytes));
    symlinkSync(target, this.#host(path));
    this.#counts.symlinks++;
    this.#keep(a, path);
  }

  *#file(file: FileId, a: StoredAttributes, path: string): Task<void> {
    const first = this.#linked.get(file.number);
    if (first !== undefined) {
      linkSync(this.#host(first), this.#host(path));
      this.#counts.hardLinks++;
      return;
    }
    const fd = openSync(this.#host(path), 'wx', 0o600);
    try {
      let at = 0;
      while (at < a.sizeBytes) {
        const bytes = yield* this.#storage.read(file, at, Math.min(pieceBytes, a.sizeBytes - at));
        if (bytes.length === 0) break;
        if (!isZeros(bytes))
          for (let done = 0; done < bytes.length; )
            done += writeSync(fd, bytes, done, bytes.length - done, at + done);
        at += bytes.length;
        this.#counts.bytes += bytes.length;
        yield* this.#rest(bytes.length);
      }
      ftruncateSync(fd, a.sizeBytes);
    } finally {
      closeSync(fd);
    }
    this.#counts.files++;
    if (a.links > 1) this.#linked.set(file.number, path);
    this.#keep(a, path);
  }

  /** Owner where we may, mode, times; the owner first, since it takes set-id bits away. */
  #keep(a: StoredAttributes, path: string): void {
    const host = this.#host(path);
    if (process.getuid?.() === 0) lchownSync(host, a.uid, a.gid);
    if (a.type !== 'symlink') chmodSync(host, a.mode);
    lutimesSync(host, hostSeconds(a.accessNs), hostSeconds(a.modifyNs));
  }

  *#rest(bytes: number): Task<void> {
    this.#sinceRest += bytes;
    if (this.#sinceRest < restBytes) return;
    this.#sinceRest = 0;
    yield* this.#attached.breathe();
  }

  #host(path: string): string {
    return join(this.#directory, path);
  }

  #leaveOut(path: string, reason: string): void {
    this.#counts.leftOut.push({ path, reason });
  }
}

const isHostName = (name: string): boolean =>
  name !== '' && name !== '.' && name !== '..' && !name.includes('/') && !name.includes('\0');
