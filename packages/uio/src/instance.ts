/**
 * An open object as a program holds it: the manager, the number of the instance there, and what it said that it can do, so
 * that what it cannot do is refused here. Blocks in, blocks out; bytes are `ByteStream`'s affair.
 *
 * An instance dies with its manager: `peerDown`, `stale` when the manager is there and does not know it. Who knows how to get
 * the object again says so (`again`): then what has no state but where it lies (storage with random access) is created anew
 * and the operation is done once more, as often as that takes.
 *
 * An object may be handed from manager to manager when the program changes hosts (`wanders`): then it is looked for before the
 * next operation, and again where its manager does not know it.
 */
import { type Task, tasks } from '@backplane/engine';
import { type EntityId, KernelError, type Message, type Procedure } from '@backplane/slots';
import { type Asker, callProcedure } from './asker.ts';
import { demandAttribute, has, type UioAttributeName } from './attributes.ts';
import type { InstancePlace } from './moving-files.ts';
import {
  type BlockLockMode,
  type BlockPosition,
  type BlockRange,
  described,
  type InstanceDescription,
  positionOf,
  type ReleaseMode,
  readGot,
  type ToCreate,
  toControl,
  toCreate,
  toLock,
  toModify,
  toQuery,
  toRead,
  toRelease,
  toSetOwner,
  toWrite,
  transferBytesMax,
  writeDone,
} from './operations.ts';
import { isGone } from './reach.ts';

/** How an object is followed from manager to manager. */
export interface Wandering {
  /** It may be elsewhere than it was when it was last followed. */
  readonly moved: boolean;
  /** Where it is by now; the same place, if it is there. @throws KernelError as for an instance that is gone */
  follow(from: InstancePlace): Task<InstancePlace>;
}

export interface InstanceOptions {
  /** Finds the object again after its manager's death. */
  readonly again?: () => Task<InstanceDescription>;
  readonly wanders?: Wandering;
}

export class Instance {
  static {
    tasks(Instance);
  }

  readonly #asker: Asker;
  readonly #again: (() => Task<InstanceDescription>) | undefined;
  readonly #wanders: Wandering | undefined;
  #description: InstanceDescription;
  #released = false;

  /** What the manager has described: in its answer to a create, or to an open by name. */
  constructor(asker: Asker, description: InstanceDescription, { again, wanders }: InstanceOptions = {}) {
    this.#asker = asker;
    this.#wanders = wanders;
    this.#description = description;
    this.#again =
      has(description.attributes, 'storage') && has(description.attributes, 'randomAccess')
        ? again
        : undefined;
  }

  /** A new instance. @param manager or a group of managers, with `beside`: the description tells who made it */
  static *create(asker: Asker, manager: EntityId, q: ToCreate, o: InstanceOptions = {}): Task<Instance> {
    return new Instance(asker, described(yield* asker.send(manager, toCreate(q))), o);
  }

  /** One that somebody else has made, and has told us of; it may be gone meanwhile. */
  static *of(asker: Asker, manager: EntityId, instance: number, o: InstanceOptions = {}): Task<Instance> {
    let description: InstanceDescription;
    try {
      description = described(yield* asker.send(manager, toQuery(instance)));
    } catch (e) {
      if (o.again === undefined || !isGone(e)) throw e;
      description = yield* o.again();
    }
    return new Instance(asker, description, o);
  }

  get manager(): EntityId {
    return this.#description.manager;
  }

  get number(): number {
    return this.#description.instance;
  }

  get blockBytes(): number {
    return this.#description.blockBytes;
  }

  get attributes(): number {
    return this.#description.attributes;
  }

  /** What was described last. */
  get description(): InstanceDescription {
    return this.#description;
  }

  can(name: UioAttributeName): boolean {
    return has(this.attributes, name);
  }

  /** Of one operation at most. */
  get transferBytes(): number {
    return this.can('multiBlock') ? transferBytesMax : this.blockBytes;
  }

  /** Up to `count` bytes from there; null at the end. Waits for what is not there yet. */
  *read(at: BlockPosition, count: number = this.blockBytes - at.first): Task<Uint8Array | null> {
    this.#demand('readable');
    this.#checkLength(count);
    return readGot(yield* this.#ask((i) => toRead(i, at, count)));
  }

  /** Returns the position afterwards. Waits for room. */
  *write(at: BlockPosition, bytes: Uint8Array): Task<BlockPosition> {
    this.#demand('writeable');
    this.#checkLength(bytes.length);
    return writeDone(yield* this.#ask((i) => toWrite(i, at, bytes)));
  }

  /** Wherever the end is by then; of a sequence of blocks, as the next one. */
  *append(bytes: Uint8Array): Task<BlockPosition> {
    this.#demand('writeable');
    this.#checkLength(bytes.length);
    return writeDone(yield* this.#ask((i) => toWrite(i, 'end', bytes)));
  }

  *query(): Task<InstanceDescription> {
    this.#description = described(yield* this.#ask(toQuery));
    return this.#description;
  }

  /** It ends there from now on. */
  *modify(sizeBytes: number): Task<void> {
    this.#demand('writeable');
    yield* this.#ask((i) => toModify(i, positionOf(sizeBytes, this.blockBytes)));
  }

  /** Its death will end the instance, not ours. */
  *setOwner(owner: EntityId): Task<void> {
    yield* this.#ask((i) => toSetOwner(i, owner));
  }

  /** @throws KernelError `wouldBlock` when somebody has it */
  *lock(range: BlockRange, mode: BlockLockMode): Task<void> {
    this.#demand('locking');
    yield* this.#ask((i) => toLock(i, range, mode));
  }

  /** What fits nothing else. @param words 3 to 6 of the request */
  *control(function_: number, words: readonly number[] = [], segment?: Uint8Array): Task<Message> {
    return yield* this.#ask((i) => toControl(i, function_, words, segment));
  }

  /** An operation that only some managers have. */
  *call<Q, R>(procedure: Procedure<Q, R>, q: NoInfer<Q>): Task<R> {
    return yield* this.#there((d) => callProcedure(this.#asker, d.manager, procedure, q, d.instance));
  }

  /** A manager that is gone has no instances: that is no error here. */
  *release(mode: ReleaseMode = 'normal'): Task<void> {
    if (this.#released) return;
    this.#released = true;
    let at: InstanceDescription | undefined = this.#description;
    if (this.#wanders?.moved === true) at = (yield* this.#elsewhere(at)) ?? at;
    while (at !== undefined) {
      try {
        yield* this.#asker.send(at.manager, toRelease(at.instance, mode));
        return;
      } catch (e) {
        if (!isGone(e)) throw e;
        at = yield* this.#elsewhere(at);
      }
    }
  }

  *#ask(request: (instance: number) => Message): Task<Message> {
    return yield* this.#there((d) => this.#asker.send(d.manager, request(d.instance)));
  }

  *#there<R>(operation: (d: InstanceDescription) => Task<R>): Task<R> {
    if (this.#released) throw new KernelError('badHandle', 'released');
    if (this.#wanders?.moved === true)
      this.#description = (yield* this.#elsewhere(this.#description)) ?? this.#description;
    for (;;) {
      const tried = this.#description;
      try {
        return yield* operation(tried);
      } catch (e) {
        if (!isGone(e)) throw e;
        // Another thread may have found it already.
        if (this.#description === tried) this.#description = yield* this.#found(tried, e);
      }
    }
  }

  *#found(tried: InstanceDescription, gone: unknown): Task<InstanceDescription> {
    const elsewhere = yield* this.#elsewhere(tried);
    if (elsewhere !== undefined) return elsewhere;
    if (this.#again === undefined) throw gone;
    return yield* this.#again();
  }

  /** Undefined: nowhere but where it was, if there. */
  *#elsewhere(tried: InstanceDescription): Task<InstanceDescription | undefined> {
    if (this.#wanders === undefined) return undefined;
    try {
      const { manager, instance } = yield* this.#wanders.follow(tried);
      const same = manager === tried.manager && instance === tried.instance;
      return same ? undefined : { ...tried, manager, instance };
    } catch (e) {
      if (!isGone(e)) throw e;
      return undefined;
    }
  }

  #demand(name: UioAttributeName): void {
    demandAttribute(this.attributes, name);
  }

  #checkLength(count: number): void {
    if (count > this.transferBytes) throw new KernelError('badArgument', `${count} bytes in one operation`);
  }
}
