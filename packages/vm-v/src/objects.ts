/** The open objects of a host that have pages here, by key and by the number that their managers call them. */
import { type Task, Timer, tasks } from '@backplane/engine';
import {
  codeOf,
  type EntityId,
  type Ipc,
  KernelError,
  type Message,
  message,
  type Naming,
  type ObjectInstance,
  type ObjectPages,
  type PagedObject,
  ReplyCode,
} from '@backplane/slots';
import { instanceOf, leaseNs, Ownership, pageIn, Senders, sizeIn, versionIn } from '@backplane/uio';
import { CachedObject, type ObjectParts } from './cached-object.ts';
import { FindingAgain } from './finding-again.ts';
import { MemoryServer } from './memory-server.ts';
import { ObjectHandle } from './object-handle.ts';
import { Opening } from './opening.ts';
import type { PageCache } from './page-cache.ts';

export interface ObjectsOptions {
  readonly holdNs: number;
  readonly probeNs: number;
  /** None: what managers have lost in a crash is not found again here. */
  readonly naming: Naming | undefined;
}

export class Objects implements ObjectPages {
  static {
    tasks(Objects);
  }

  readonly holder: EntityId;
  readonly senders: Senders;
  readonly #parts: ObjectParts;
  readonly #server: MemoryServer;
  readonly #byKey = new Map<string, CachedObject>();
  readonly #byNumber = new Map<number, CachedObject>();
  readonly #timer: Timer;
  #last = 0;

  constructor(ipc: Ipc, cache: PageCache, { holdNs, probeNs, naming }: ObjectsOptions) {
    const { machine } = cache;
    const senders = new Senders(ipc, machine);
    this.senders = senders;
    // Apart from the memory server: those who wait there for a page may be waiting for a callback.
    const holder = ipc.create({ name: 'page holder', scope: machine.scope, space: null });
    holder.serve((r) => this.#calledBack(r.message), { concurrent: Number.POSITIVE_INFINITY });
    this.holder = holder.id;
    this.#server = new MemoryServer({
      ipc,
      machine,
      senders,
      probeNs,
      finding: naming === undefined ? undefined : new FindingAgain({ ipc, naming, senders }),
      open: (o) => this.open(o),
    });
    this.#timer = new Timer(machine.scope, 'vm.contact', () => this.#keepContact());
    this.#parts = {
      cache,
      senders,
      holder: this.holder,
      holdNs,
      probe: (manager) => ipc.probe(manager),
      stored: () => this.#arm(),
      unused: (o) => this.#forget(o),
    };
  }

  get server(): EntityId {
    return this.#server.id;
  }

  get count(): number {
    return this.#byNumber.size;
  }

  /** Files that programs have open at the memory server. */
  get published(): number {
    return this.#server.count;
  }

  /** Files that programs had open at other hosts before they came here. */
  get taken(): number {
    return this.#server.taken;
  }

  *open(o: ObjectInstance): Task<ObjectHandle> {
    const object = yield* this.#object(o);
    const opening = new Opening(o);
    yield* object.link.attach(opening);
    return new ObjectHandle(object, opening);
  }

  /** The one of this key, if there is one that holds. */
  *#object({ key, manager }: ObjectInstance): Task<CachedObject> {
    for (;;) {
      const known = this.#byKey.get(key);
      if (known === undefined || known.link.lost) break;
      yield* known.link.settle(manager);
      if (this.#byKey.get(key) === known && !known.link.lost) return known;
    }
    const object = new CachedObject(key, ++this.#last, this.#parts);
    this.#byKey.set(key, object);
    this.#byNumber.set(object.number, object);
    return object;
  }

  publish(object: PagedObject, o: { readonly owner: EntityId; readonly attributes: number }): number {
    if (!(object instanceof ObjectHandle))
      throw new KernelError('badArgument', 'an object of another memory');
    return this.#server.add(object, o);
  }

  #forget(object: CachedObject): void {
    this.#byNumber.delete(object.number);
    if (this.#byKey.get(object.key) === object) this.#byKey.delete(object.key);
  }

  // ---- what managers ask ----

  *#calledBack(m: Message): Task<Message> {
    const object = this.#byNumber.get(instanceOf(m));
    switch (codeOf(m)) {
      case Ownership.recall:
      case Ownership.invalidate: {
        if (object === undefined) return message({ code: ReplyCode.ok });
        const segment = yield* object.taken(codeOf(m), pageIn(m), versionIn(m));
        return message({ code: ReplyCode.ok, segment });
      }
      case Ownership.stored:
        object?.isStored(pageIn(m), versionIn(m));
        return message({ code: ReplyCode.ok });
      case Ownership.resize:
        object?.resized(versionIn(m), sizeIn(m));
        return message({ code: ReplyCode.ok });
      default:
        return message({ code: ReplyCode.protocolError });
    }
  }

  // ---- as long as something is dirty ----

  #arm(): void {
    if (!this.#timer.armed) this.#timer.set(leaseNs / 4);
  }

  #keepContact(): void {
    let dirty = false;
    for (const object of this.#byNumber.values()) {
      if (!object.dirty) continue;
      dirty = true;
      if (object.link.needsContact)
        this.#parts.cache.machine.scope.spawn('vm.contact', object.link.contact());
    }
    if (dirty) this.#arm();
  }
}
