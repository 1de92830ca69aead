/** Random operations on a storage and on the model, compared one by one and as whole trees. */
import type { RandomStream, Task } from '@backplane/engine';
import { type FileId, isKernelError, type KernelErrorKind, type Storage } from '@backplane/slots';
import { pattern } from '@backplane/slots/testing';
import { firstDifference, Model, type ModelNode } from './storage-model.ts';

interface Known {
  readonly file: FileId;
  readonly node: ModelNode;
}

export interface DriverOptions {
  /** Sizes of files stay below this. */
  readonly bytesMax: number;
  /** The disk may get full: then nothing has changed. */
  readonly maySpill?: boolean;
}

const names = ['a', 'b', 'c', 'd', 'a-longer-name', 'ü', 'z'.repeat(255)];

export class Driver {
  readonly model: Model = new Model();
  readonly storage: () => Storage;
  spills = 0;
  /** What was done, for messages. */
  readonly log: string[] = [];
  /** Told before something changes: a file, or a name in a directory. */
  touching: ((what: ModelNode, name?: string) => void) | null = null;
  /** Told when the storage says that a file, or everything, is on the disk. */
  synced: ((node?: ModelNode) => void) | null = null;
  readonly #random: RandomStream;
  readonly #options: DriverOptions;
  readonly #root: FileId;
  #known: Known[];
  /** Without names, still open: to be reclaimed. */
  #open: Known[] = [];

  /** @param root where the model begins; the root of the storage when left out */
  constructor(storage: () => Storage, random: RandomStream, options: DriverOptions, root?: FileId) {
    this.storage = storage;
    this.#root = root ?? storage().root;
    this.#random = random;
    this.#options = options;
    this.#known = [{ file: this.#root, node: this.model.root }];
  }

  /** One operation, on both. */
  *step(): Task<void> {
    const r = this.#random;
    const s = this.storage();
    const what = r.below(100);
    const parent = r.pick(this.#known);
    const other = r.pick(this.#known);
    const name = r.pick(names);
    if (what < 22) yield* this.#create(parent, name, r.chance(0.35));
    else if (what < 46) {
      const at = this.#offset(other.node.bytes.length);
      const bytes = pattern(
        1 + r.below(r.chance(0.2) ? (this.#options.maySpill ? 60_000 : 20_000) : 3000),
        r.below(1000),
      );
      const when = r.pick(['delayed', 'delayed', 'soon', 'through'] as const);
      this.touching?.(other.node);
      const written = yield* this.#both(
        `write ${other.file.number} ${at}+${bytes.length} ${when}`,
        () => this.model.write(other.node, at, bytes),
        s.write(other.file, at, bytes, when),
      );
      if (when === 'through' && written !== undefined) this.synced?.(other.node);
    } else if (what < 54) {
      const size = this.#offset(other.node.bytes.length);
      this.touching?.(other.node);
      yield* this.#both(
        `truncate ${other.file.number} ${size}`,
        () => this.model.truncate(other.node, size),
        s.truncate(other.file, size),
      );
    } else if (what < 62) yield* this.#compareBytes(other);
    else if (what < 67) {
      this.touching?.(parent.node, name);
      this.touching?.(other.node);
      yield* this.#both(
        `link ${parent.file.number} ${name} ${other.file.number}`,
        () => this.model.link(parent.node, name, other.node),
        s.link(parent.file, name, other.file),
      );
    } else if (what < 80) yield* this.#unlink(parent, name, r.chance(0.4));
    else if (what < 92) yield* this.#rename(parent, name, other, r.pick(names));
    else if (what < 95) {
      const mode = r.below(0o10000);
      other.node.mode = mode;
      other.node.version++;
      this.log.push(`setAttributes ${other.file.number} ${mode}`);
      yield* s.setAttributes(other.file, { mode, version: other.node.version });
    } else if (what < 97) {
      yield* s.sync(other.file);
      this.synced?.(other.node);
    } else if (what < 98) {
      yield* s.sync();
      this.synced?.();
    } else yield* this.closeOne();
  }

  /** The last user of a file without names closes it. */
  *closeOne(): Task<void> {
    const closed = this.#open.shift();
    // A new name may lead to it by now.
    if (closed === undefined || closed.node.links > 0) return;
    this.log.push(`reclaim ${closed.file.number}`);
    yield* this.storage().reclaim(closed.file);
    this.#forget(closed);
  }

  *closeAll(): Task<void> {
    while (this.#open.length > 0) yield* this.closeOne();
  }

  /** A halt frees what only open files kept. */
  rebooted(): void {
    for (const k of this.#open) if (k.node.links === 0) this.#forget(k);
    this.#open = [];
  }

  *compareTree(): Task<void> {
    yield* this.#compareDirectory(this.#root, this.model.root, '');
  }

  *#compareDirectory(f: FileId, node: ModelNode, path: string): Task<void> {
    const s = this.storage();
    const entries = yield* s.entries(f);
    const expected = [...node.entries.keys()].sort((a, b) => (a < b ? -1 : 1));
    this.#same(`${path}/: names`, entries.map((e) => e.name).join(), expected.join());
    for (const { name, file } of entries) {
      const child = node.entries.get(name);
      if (child === undefined) continue;
      const a = yield* s.attributes(file);
      const seen = [a.type, a.links, a.mode, a.version, child.directory ? '' : a.sizeBytes].join();
      const wanted = [
        child.directory ? 'directory' : 'file',
        child.links,
        child.mode,
        child.version,
        child.directory ? '' : child.bytes.length,
      ];
      this.#same(`${path}/${name}`, seen, wanted.join());
      if (child.directory) yield* this.#compareDirectory(file, child, `${path}/${name}`);
      else yield* this.#compareBytes({ file, node: child });
    }
  }

  *#compareBytes({ file, node }: Known): Task<void> {
    if (node.directory) return;
    const r = this.#random;
    const at = r.chance(0.5) ? 0 : r.below(node.bytes.length + 10);
    const count = r.chance(0.5) ? 10_000_000 : 1 + r.below(9000);
    const seen = yield* this.storage().read(file, at, count);
    const difference = firstDifference(seen, node.bytes.subarray(at, at + count));
    if (difference >= 0)
      this.#fail(`file ${file.number} differs at ${at + difference} of ${node.bytes.length}`);
  }

  *#create(parent: Known, name: string, directory: boolean): Task<void> {
    let made: ModelNode | undefined;
    this.touching?.(parent.node, name);
    const type = directory ? 'directory' : 'file';
    const done = yield* this.#both(
      `create ${parent.file.number} ${name} ${type}`,
      () => {
        made = this.model.create(parent.node, name, directory);
      },
      this.storage().create(parent.file, name, { type, mode: 0o644, uid: 1, gid: 2 }),
      () => {
        parent.node.entries.delete(name);
        if (directory) parent.node.links--;
      },
    );
    if (done !== undefined && made !== undefined) this.#known.push({ file: done.value, node: made });
  }

  *#unlink(parent: Known, name: string, directory: boolean): Task<void> {
    let gone: ModelNode | undefined;
    this.touching?.(parent.node, name);
    const result = yield* this.#both(
      `unlink ${parent.file.number} ${name} ${directory}`,
      () => {
        gone = this.model.unlink(parent.node, name, directory);
      },
      this.storage().unlink(parent.file, name, { directory }),
    );
    if (result !== undefined) yield* this.#unnamed(gone, result.value);
  }

  *#rename(from: Known, oldName: string, to: Known, newName: string): Task<void> {
    let gone: ModelNode | undefined;
    this.touching?.(from.node, oldName);
    this.touching?.(to.node, newName);
    const before = { from: new Map(from.node.entries), to: new Map(to.node.entries) };
    const result = yield* this.#both(
      `rename ${from.file.number} ${oldName} ${to.file.number} ${newName}`,
      () => {
        gone = this.model.rename(from.node, oldName, to.node, newName);
      },
      this.storage().rename(from.file, oldName, to.file, newName),
      () => {
        // Only the growth of a directory may fail for want of space, and then nothing was replaced.
        for (const [node, entries] of [
          [from.node, before.from],
          [to.node, before.to],
        ] as const) {
          node.entries.clear();
          for (const [n, e] of entries) node.entries.set(n, e);
        }
        const moved = before.from.get(oldName);
        if (moved?.directory === true && from !== to) {
          moved.parent = from.node;
          from.node.links++;
          to.node.links--;
        }
      },
    );
    if (result?.value.replaced !== undefined) yield* this.#unnamed(gone, result.value.replaced);
    else if (result !== undefined && gone !== undefined) this.#fail('nothing was replaced');
  }

  *#unnamed(
    node: ModelNode | undefined,
    u: { readonly file: FileId; readonly linksLeft: number },
  ): Task<void> {
    if (node === undefined) return;
    this.#same('links left', String(u.linksLeft), String(node.links));
    if (u.linksLeft > 0) return;
    const known = this.#known.find((k) => k.node === node);
    if (known === undefined) return this.#fail('a file that nobody made');
    this.#same('file without names', String(known.file.number), String(u.file.number));
    if (known.node.directory || this.#random.chance(0.6)) {
      yield* this.storage().reclaim(known.file);
      this.#forget(known);
    } else if (!this.#open.includes(known)) this.#open.push(known);
  }

  #forget(known: Known): void {
    this.#known = this.#known.filter((k) => k !== known);
  }

  #offset(sizeBytes: number): number {
    const r = this.#random;
    const { bytesMax } = this.#options;
    const wanted = r.pick([
      0,
      sizeBytes,
      r.below(sizeBytes + 1),
      sizeBytes + r.below(5000),
      r.below(bytesMax),
    ]);
    return Math.min(bytesMax, wanted);
  }

  /** Both must end alike. @returns what the storage returned; undefined when both refused */
  *#both<T>(
    what: string,
    onModel: () => void,
    onStorage: Task<T>,
    undo?: () => void,
  ): Task<{ readonly value: T } | undefined> {
    this.log.push(what);
    let expected: KernelErrorKind | 'ok' = 'ok';
    const old = this.#options.maySpill ? snapshot(this.#known) : null;
    try {
      onModel();
    } catch (e) {
      if (!isKernelError(e)) throw e;
      expected = e.kind;
    }
    let done: { readonly value: T } | undefined;
    let seen: KernelErrorKind | 'ok' = 'ok';
    try {
      done = { value: yield* onStorage };
    } catch (e) {
      if (!isKernelError(e)) throw e;
      seen = e.kind;
    }
    if (seen === 'noSpace' && expected === 'ok' && old !== null) {
      this.spills++;
      for (const [node, bytes] of old) node.bytes = bytes;
      undo?.();
      return undefined;
    }
    this.#same('outcome', seen, expected);
    return done;
  }

  #same(what: string, seen: string, expected: string): void {
    if (seen !== expected) this.#fail(`${what}: ${seen}, expected ${expected}`);
  }

  #fail(text: string): never {
    throw new Error(`${text}\n  after ${this.log.slice(-12).join('\n        ')}`);
  }
}

const snapshot = (known: readonly Known[]): Map<ModelNode, Uint8Array> =>
  new Map(known.map(({ node }) => [node, node.bytes]));
