/**
 * The kernel's memory server, as programs see it: a manager of open files like others, by uniform I/O, that answers from the
 * page frames of this host. What only the file's own server knows (attributes, locks, where the end is by now) it asks there.
 *
 * Files of a program that changes hosts go from one memory server to the other (`@backplane/uio`, moving-files).
 */
import { type Task, tasks } from '@backplane/engine';
import {
  type EntityId,
  type Ipc,
  isKernelError,
  KernelError,
  type Machine,
  type ObjectInstance,
} from '@backplane/slots';
import {
  type FileHandedOver,
  fileOfKey,
  followFile,
  handOverFile,
  handOverFiles,
  type InstancePlace,
  isGone,
  lockFile,
  lockInstance,
  modifyObject,
  queryObject,
  type Senders,
  type ServedInstance,
  ServedObjects,
  takeFile,
  toSetOwner,
  writeBackFiles,
} from '@backplane/uio';
import { CachedFile } from './cached-file.ts';
import { type FindingAgain, howOf } from './finding-again.ts';
import type { ObjectHandle } from './object-handle.ts';

export interface MemoryServerParts {
  readonly ipc: Ipc;
  readonly machine: Machine;
  readonly senders: Senders;
  /** How often it is asked whether owners are alive. */
  readonly probeNs: number;
  /** Undefined: without names nothing is found again. */
  readonly finding: FindingAgain | undefined;
  open(o: ObjectInstance): Task<ObjectHandle>;
}

type Instance = ServedInstance<CachedFile>;

export class MemoryServer {
  static {
    tasks(MemoryServer);
  }

  readonly #parts: MemoryServerParts;
  readonly #served: ServedObjects<CachedFile>;
  /** Instances that were other memory servers', by what they were known by there. */
  readonly #formerly = new Map<string, number>();
  taken = 0;

  constructor(parts: MemoryServerParts) {
    this.#parts = parts;
    this.#served = new ServedObjects(parts.ipc, parts.machine, {
      name: 'memory server',
      model: 'procedures',
      concurrent: Number.POSITIVE_INFINITY,
      probeNs: parts.probeNs,
    });
    for (const code of [queryObject.id, modifyObject.id, lockFile.id, lockInstance])
      this.#served.onInstance(code, ({ object }, m) => object.pass(m));
    const { operations } = this.#served;
    operations.serve(writeBackFiles, (owner) => this.#writeBack(owner));
    operations.serve(handOverFiles, (q) => this.#handOverAll(q.owner, q.to));
    operations.serve(handOverFile, (q) => this.#handOver(this.#instance(q.instance), q.to));
    operations.serve(takeFile, (q) => this.#take(q));
    operations.serve(followFile, (q) => this.#follow(q));
  }

  get id(): EntityId {
    return this.#served.process.id;
  }

  get count(): number {
    return this.#served.instances.count;
  }

  add(
    handle: ObjectHandle,
    o: {
      readonly owner: EntityId;
      readonly attributes: number;
      readonly formerly?: readonly InstancePlace[];
    },
  ): number {
    const { formerly = [] } = o;
    const file = new CachedFile(handle, o.attributes, formerly, (f) => this.#forget(f));
    const { number } = this.#served.add(file, o.owner);
    for (const p of formerly) this.#formerly.set(nameOf(p), number);
    return number;
  }

  #forget({ formerly }: CachedFile): void {
    for (const p of formerly) this.#formerly.delete(nameOf(p));
  }

  // ---- files that leave ----

  *#writeBack(owner: EntityId): Task<null> {
    for (const { object } of this.#served.instances.ownedBy(owner)) yield* object.writeOut();
    return null;
  }

  /** One that cannot go stays: its program has it fetched when it asks for it. */
  *#handOverAll(owner: EntityId, to: EntityId): Task<null> {
    for (const i of this.#served.instances.ownedBy(owner)) {
      try {
        yield* this.#handOver(i, to);
      } catch (e) {
        if (!isKernelError(e)) throw e;
      }
    }
    return null;
  }

  *#handOver(i: Instance, to: EntityId): Task<number> {
    const { object, number, owner } = i;
    const { attributes } = object;
    if (to === this.id) return number;
    const formerly = [...object.formerly, { manager: this.id, instance: number }];
    const given = yield* object.handOver(
      (handle, lost) => {
        const { key } = handle.object;
        const q = { ...handle.opening.place, key, attributes, owner, lost, formerly };
        return this.#parts.senders.call(to, takeFile, q);
      },
      ({ object: { key }, opening: { place, writable, reopen } }) =>
        this.#parts.open({ ...place, key, writable, ...(reopen !== undefined && { reopen }) }),
    );
    this.#served.instances.remove(i);
    return given;
  }

  #instance(number: number): Instance {
    const i = this.#served.instances.find(number);
    if (i === undefined) throw new KernelError('stale', `instance ${number}`);
    return i;
  }

  // ---- files that come ----

  *#take(q: FileHandedOver): Task<number> {
    const { finding, senders } = this.#parts;
    const { manager, instance, key, attributes } = q;
    const how = howOf(attributes);
    const named = fileOfKey(key);
    const handle = yield* this.#parts.open({
      manager,
      instance,
      key,
      writable: how.write === true && how.append !== true,
      ...(finding !== undefined && named !== undefined && { reopen: () => finding.open(named, how) }),
    });
    try {
      yield* senders.send(manager, toSetOwner(instance, senders.owner));
    } catch (e) {
      if (!isGone(e)) throw e; // it is opened again, in our name
    }
    if (q.lost) handle.object.noteLost();
    this.taken++;
    return this.add(handle, q);
  }

  *#follow(from: InstancePlace): Task<InstancePlace> {
    const { manager, instance } = from;
    if (manager === this.id && this.#served.instances.find(instance) !== undefined) return from;
    const here = this.#formerly.get(nameOf(from));
    if (here !== undefined) return { manager: this.id, instance: here };
    if (manager === this.id) throw new KernelError('stale', `instance ${instance}`);
    return yield* this.#fetch(from);
  }

  *#fetch(from: InstancePlace): Task<InstancePlace> {
    const { ipc, senders } = this.#parts;
    try {
      const request = { instance: from.instance, to: this.id };
      return { manager: this.id, instance: yield* senders.call(from.manager, handOverFile, request) };
    } catch (e) {
      // Who lives, and does not know what it is asked, has its files for good.
      if (isKernelError(e, 'peerDown') && (yield* ipc.probe(from.manager)) === 'here') return from;
      throw e;
    }
  }
}

const nameOf = ({ manager, instance }: InstancePlace): string => `${manager}/${instance}`;
