/**
 * A server of open objects: a process, its instances with their owners, and the operations on them. What the objects are is
 * the server's own: `UioObject` is all that they have in common.
 *
 *   request                  the object is asked                          the rest is done here
 *   createInstance           whoever makes objects of this name           numbers, the owner
 *   readInstance             `read`                                       limits, the sequence, whether it may be done again
 *   writeInstance            `write`, `append`                            limits, the sequence
 *   releaseInstance          `release`                                    locks, forgetting it
 *   queryInstance            `sizeBytes`                                  the rest of the description
 *   modifyInstance           `modify`
 *   lockInstance                                                          all
 *   setInstanceOwner                                                      all
 *   controlInstance          `control`
 *
 * Each costs `uioNs`, and whatever the object charges.
 *
 * Lost in a crash: the process with its number, instances, locks. What clients had open they create again, where that makes
 * sense, under the number of the next process.
 */
import { charge, type Scope, type Task, tasks } from '@backplane/engine';
import {
  Busy,
  type EntityId,
  entityIn,
  type Ipc,
  type IpcProcess,
  isGroup,
  KernelError,
  type Machine,
  type Message,
  message,
  type Procedure,
  type Received,
  ReplyCode,
  wordOf,
} from '@backplane/slots';
import { has } from './attributes.ts';
import { BlockLocks } from './block-locks.ts';
import { Instances, type ServedInstance } from './instances.ts';
import { failure, instanceOf, packed, unpacked } from './messages.ts';
import {
  atEnd,
  type BlockPosition,
  type CreateRequest,
  controlInstance,
  createAsked,
  createInstance,
  describing,
  endAt,
  type InstanceDescription,
  lockAsked,
  lockInstance,
  modifiesEnd,
  modifyInstance,
  offsetOf,
  positionOf,
  queryInstance,
  type ReleaseMode,
  readAt,
  readInstance,
  readResponse,
  releaseAsked,
  releaseInstance,
  setInstanceOwner,
  transferBytesMax,
  writeInstance,
  writeResponse,
} from './operations.ts';
import { Sequence } from './sequence.ts';
import { ServedOperations } from './served-operations.ts';
import { type ServerModel, serveProcess } from './serving-process.ts';
import type { UioObject } from './uio-object.ts';

export interface ServedObjectsOptions<T extends UioObject> {
  readonly name: string;
  readonly model: ServerModel;
  /** Requests that are worked on at once. */
  readonly concurrent: number;
  /** How often owners are asked whether they are alive. */
  readonly probeNs: number;
  /** Objects for a `createInstance`; the answer describes the first. Absent: they are made in other ways only. */
  readonly create?: (q: CreateRequest) => Task<readonly [T, ...T[]]>;
  /** Around each request: when it may begin. */
  readonly within?: (operation: Task<Message>) => Task<Message>;
}

export class ServedObjects<T extends UioObject> {
  static {
    tasks(ServedObjects);
  }

  readonly process: IpcProcess;
  readonly instances: Instances<T>;
  /** A server adds its own to them. */
  readonly operations: ServedOperations = new ServedOperations();
  readonly #machine: Machine;
  readonly #scope: Scope;
  readonly #locks: BlockLocks = new BlockLocks();
  /** Of objects without random access. */
  readonly #sequences = new Map<number, Sequence>();
  readonly #within: (operation: Task<Message>) => Task<Message>;

  constructor(ipc: Pick<Ipc, 'create' | 'probe'>, machine: Machine, o: ServedObjectsOptions<T>) {
    this.#machine = machine;
    this.#scope = machine.scope.child(o.name);
    this.#within = o.within ?? ((operation) => operation);
    this.instances = new Instances(ipc, machine, o.probeNs, (i) => this.#gone(i, 'abort'));
    this.process = ipc.create({ name: o.name, scope: this.#scope, space: null });
    const { create } = o;
    if (create !== undefined) this.operations.raw(createInstance, (m, from) => this.#create(m, from, create));
    this.#serveAll();
    serveProcess(this.process, this.#scope, o.model, o.concurrent, (r) => this.#answer(r));
  }

  add(object: T, owner: EntityId): ServedInstance<T> {
    const made = this.instances.add(object, owner);
    if (!has(object.attributes, 'randomAccess')) this.#sequences.set(made.number, new Sequence(object));
    return made;
  }

  /** An operation on one instance whose words mean more. */
  onInstance(
    code: number,
    operation: (i: ServedInstance<T>, m: Message, from: EntityId) => Task<Message>,
  ): void {
    this.operations.raw(code, (m, from) => {
      const i = this.instances.find(instanceOf(m));
      if (i === undefined) throw new KernelError('stale', `instance ${instanceOf(m)}`);
      charge(this.#machine.type.costs.uioNs, Busy.files);
      return operation(i, m, from);
    });
  }

  /** An operation on one instance that is a procedure. */
  onProcedure<Q, R>(p: Procedure<Q, R>, operation: (i: ServedInstance<T>, q: Q) => Task<NoInfer<R>>): void {
    this.onInstance(p.id, function* (i, m) {
      const q = p.request.decode(unpacked(m));
      if (q === undefined) return failure('badArgument');
      return packed(ReplyCode.ok, 0, p.reply.encode(yield* operation(i, q)));
    });
  }

  /** Locks that are held, and sequences that are kept: for those who look for what is left behind. */
  get remembered(): number {
    return this.#locks.size + this.#sequences.size;
  }

  *#answer({ message: m, from, to }: Received): Task<Message | 'discard'> {
    // What is not an operation of this server may be one of another member of the group.
    if (isGroup(to) && !this.operations.knows(m)) return 'discard';
    return yield* this.#within(this.operations.perform(m, from));
  }

  #serveAll(): void {
    this.onInstance(readInstance, (i, m) => this.#read(i, readAt(m), wordOf(m, 4)));
    this.onInstance(writeInstance, (i, m) =>
      this.#write(i, wordOf(m, 4) === atEnd ? 'end' : readAt(m), m.segment),
    );
    this.onInstance(releaseInstance, (i, m) => this.#release(i, releaseAsked(m)));
    this.onInstance(queryInstance, (i) => this.#query(i));
    this.onInstance(modifyInstance, (i, m) => this.#modify(i, m));
    this.onInstance(lockInstance, (i, m) => this.#lock(i, m));
    this.onInstance(setInstanceOwner, (i, m) => this.#setOwner(i, entityIn(m, 2)));
    this.onInstance(controlInstance, (i, m, from) => this.#control(i, m, from));
  }

  // ---- instances ----

  *#create(
    m: Message,
    from: EntityId,
    create: (q: CreateRequest) => Task<readonly [T, ...T[]]>,
  ): Task<Message> {
    charge(this.#machine.type.costs.uioNs, Busy.files);
    const q = createAsked(m, from);
    const [first, ...others] = yield* create(q);
    // At once, so that their numbers follow one another.
    const made = this.add(first, q.owner);
    for (const object of others) this.add(object, q.owner);
    return describing(yield* this.#describe(made));
  }

  *#query(i: ServedInstance<T>): Task<Message> {
    return describing(yield* this.#describe(i));
  }

  *#describe({ number, object }: ServedInstance<T>): Task<InstanceDescription> {
    const sequence = this.#sequences.get(number);
    return {
      manager: this.process.id,
      instance: number,
      blockBytes: object.blockBytes,
      attributes: object.attributes,
      sizeBytes: object.sizeBytes === undefined ? 0 : yield* object.sizeBytes(),
      nextRead: sequence?.nextRead ?? 0,
      nextWrite: sequence?.nextWrite ?? 0,
    };
  }

  *#release(i: ServedInstance<T>, mode: ReleaseMode): Task<Message> {
    if (this.instances.remove(i)) yield* this.#gone(i, mode);
    return ok;
  }

  *#gone({ number, object }: ServedInstance<T>, mode: ReleaseMode): Task<void> {
    this.#sequences.delete(number);
    if (object.lockKey !== undefined) this.#locks.drop(object.lockKey, number);
    yield* object.release(mode);
  }

  *#setOwner(i: ServedInstance<T>, owner: EntityId): Task<Message> {
    i.owner = owner;
    return ok;
  }

  // ---- what is done to them ----

  *#read({ number, object }: ServedInstance<T>, at: BlockPosition, count: number): Task<Message> {
    if (object.read === undefined) throw new KernelError('badHandle', 'not open for reading');
    checkLength(object, count);
    const sequence = this.#sequences.get(number);
    const bytes = yield* sequence === undefined ? object.read(at, count) : sequence.read(at, count);
    return readResponse(bytes, has(object.attributes, 'storage'));
  }

  *#write(
    { number, object }: ServedInstance<T>,
    at: BlockPosition | 'end',
    bytes: Uint8Array,
  ): Task<Message> {
    checkLength(object, bytes.length);
    const sequence = this.#sequences.get(number);
    if (sequence !== undefined) return writeResponse(yield* sequence.write(at, bytes));
    if (object.write === undefined) throw new KernelError('badHandle', 'not open for writing');
    const { blockBytes } = object;
    if (at === 'end' || has(object.attributes, 'appendOnly')) {
      if (object.append === undefined) throw new KernelError('unsupported', 'it does not grow');
      return writeResponse(positionOf(yield* object.append(bytes), blockBytes));
    }
    yield* object.write(at, bytes);
    return writeResponse(positionOf(offsetOf(at, blockBytes) + bytes.length, blockBytes));
  }

  *#modify({ object }: ServedInstance<T>, m: Message): Task<Message> {
    if (object.modify === undefined) throw new KernelError('unsupported', 'it ends where it ends');
    if (wordOf(m, 2) !== modifiesEnd) throw new KernelError('badArgument', 'no such field');
    yield* object.modify(offsetOf(endAt(m), object.blockBytes));
    return ok;
  }

  *#lock({ number, object }: ServedInstance<T>, m: Message): Task<Message> {
    const mode = lockAsked(m);
    if (object.lockKey === undefined) throw new KernelError('unsupported', 'it has no locks');
    if (mode === undefined) throw new KernelError('badArgument', 'no such lock');
    const range = { block: wordOf(m, 2), blocks: wordOf(m, 3) };
    return this.#locks.lock(object.lockKey, number, range, mode) ? ok : busy;
  }

  *#control({ object }: ServedInstance<T>, m: Message, from: EntityId): Task<Message> {
    if (object.control === undefined) throw new KernelError('unsupported', 'it has no functions');
    return yield* object.control(m, from);
  }
}

const ok: Message = /* @__PURE__ */ message({ code: ReplyCode.ok });
const busy: Message = /* @__PURE__ */ message({ code: ReplyCode.busy });

function checkLength({ attributes, blockBytes }: UioObject, count: number): void {
  const max = has(attributes, 'multiBlock') ? transferBytesMax : blockBytes;
  if (count > max) throw new KernelError('badArgument', `${count} bytes in one operation`);
}
