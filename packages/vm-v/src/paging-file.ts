/**
 * Where dirty pages of programs go when their frames are wanted: a file at a file server, made when the first one has to go,
 * in slots of a page each. It is read and written by plain messages: its pages are in nobody's cache.
 *
 * A file server that dies may forget what it had not yet brought to its disk. Each page is checked when it comes back, so
 * that a program is told (`objectLost`) and never runs with another's bytes or with old ones.
 */
import { sleep, type Task, tasks, WaitQueue } from '@backplane/engine';
import {
  type Attempt,
  done,
  type EntityId,
  type FileId,
  type Ipc,
  isKernelError,
  KernelError,
  type Machine,
  type Message,
  type NameTarget,
  type NameView,
  type Naming,
  type Probed,
} from '@backplane/slots';
import {
  blockBytes,
  FileClient,
  isGone,
  lookAgainNs,
  positionOf,
  readGot,
  type Senders,
  toRead,
  toWrite,
} from '@backplane/uio';
import type { Place } from './opening.ts';

export interface PagingParts {
  readonly ipc: Ipc;
  readonly naming: Naming;
  readonly senders: Senders;
  /** Whose death ends the instance. */
  readonly owner: EntityId;
  readonly machine: Machine;
  readonly pageBytes: number;
  /** Absolute name. */
  readonly directory: string;
}

const reading = { read: true, write: true };
const creating = { ...reading, create: true, truncate: true, mode: 0o600 };
const superUser = { uid: 0, gid: 0, groups: [] };

export class PagingFile {
  static {
    tasks(PagingFile);
  }

  readonly #parts: PagingParts;
  readonly #files: FileClient;
  /** The file, once it was made. */
  #known: { readonly prefix: string; readonly file: FileId } | null = null;
  #place: Place | null = null;
  #opening = false;
  readonly #opened: WaitQueue = new WaitQueue();
  readonly #free: number[] = [];
  #slots = 0;
  /** Of what was written last, by slot. */
  readonly #sums = new Map<number, number>();
  pagesOut = 0;
  pagesIn = 0;

  constructor(parts: PagingParts) {
    this.#parts = parts;
    const { ipc, senders, owner, machine } = parts;
    const probe = (manager: EntityId): Task<Probed> => ipc.probe(manager);
    this.#files = new FileClient({ asker: senders, owner, type: machine.type, probe });
  }

  get used(): number {
    return this.#slots - this.#free.length;
  }

  take(): number {
    return this.#free.pop() ?? this.#slots++;
  }

  free(slot: number): void {
    this.#sums.delete(slot);
    this.#free.push(slot);
  }

  *write(slot: number, bytes: Uint8Array): Task<void> {
    yield* this.#ask((instance) => toWrite(instance, this.#at(slot), bytes));
    this.#sums.set(slot, sum(bytes));
    this.pagesOut++;
  }

  /** @throws KernelError `objectLost` when it is not what was written */
  *read(slot: number): Task<Uint8Array> {
    const { pageBytes } = this.#parts;
    const bytes = readGot(yield* this.#ask((instance) => toRead(instance, this.#at(slot), pageBytes)));
    if (bytes === null || sum(bytes) !== this.#sums.get(slot))
      throw new KernelError('objectLost', `page ${slot} of the paging file`);
    this.pagesIn++;
    return bytes;
  }

  #at(slot: number): ReturnType<typeof positionOf> {
    return positionOf(slot * this.#parts.pageBytes, blockBytes);
  }

  *#ask(build: (instance: number) => Message): Task<Message> {
    for (;;) {
      const place = this.#place ?? (yield* this.#open());
      try {
        return yield* this.#parts.senders.send(place.manager, build(place.instance));
      } catch (e) {
        if (!isGone(e)) throw e;
        if (this.#place === place) this.#place = null;
      }
    }
  }

  /** Returns when it is open. One thread opens it; the others wait. */
  *#open(): Task<Place> {
    while (this.#opening) yield* this.#opened.wait();
    this.#opening = true;
    try {
      while (this.#place === null) {
        try {
          this.#place = yield* this.#find();
        } catch (e) {
          if (isKernelError(e, 'stale')) this.#known = null;
          else if (isKernelError(e, 'notFound') || isKernelError(e, 'noAnswer')) yield* sleep(lookAgainNs);
          else throw e;
        }
      }
      return this.#place;
    } finally {
      this.#opening = false;
      this.#opened.wakeAll();
    }
  }

  /** Makes it, and its directory where there is none; or opens the same one again after its server's death. */
  *#find(): Task<Place> {
    const { naming, directory, machine } = this.#parts;
    const view = naming.view();
    const known = this.#known;
    if (known !== null) return yield* this.#files.reopen(view, known.prefix, known.file, reading);
    const name = `${directory === '/' ? '' : directory}/${machine.name}`;
    const make = (): Task<Place> => view.perform(name, 'object', (t) => this.#made(t));
    try {
      return yield* make();
    } catch (e) {
      if (!isKernelError(e, 'notFound')) throw e;
    }
    yield* this.#makeDirectory(view);
    return yield* make();
  }

  *#made(t: NameTarget): Task<Attempt<Place>> {
    const opened = yield* this.#files.open(t, creating, superUser);
    if (opened.is !== 'done') return opened;
    const { manager, instance, file } = opened.value;
    this.#known = { prefix: t.prefix, file };
    return done({ manager, instance });
  }

  *#makeDirectory(view: NameView): Task<void> {
    const { directory } = this.#parts;
    try {
      yield* view.perform(directory, 'entry', (t) =>
        this.#files.name(t, 'makeDirectory', { mode: 0o755 }, superUser),
      );
    } catch (e) {
      if (!isKernelError(e, 'exists')) throw e; // another host was first
    }
  }
}

/** FNV-1a over bytes. */
function sum(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x0100_0193);
  return hash >>> 0;
}
