/**
 * The open objects that regions are bound to. Who binds one hands its instance over: from then on the kernel owns it, whoever
 * ends. Who has none to hand over (instance 0) has the kernel open one: a program that comes from another host, where its
 * kernel has its own until the last store there is made. A program that loads and stores cannot be asked to open its file
 * again after the death of the file's manager, so its kernel does: at whoever manages the prefix of the object's key by then,
 * by the file's number.
 *
 *   key of an object               after its manager's death              instance 0
 *   <prefix>:<file>:<version>      found again: so keys are made by       opened by the number of the file
 *                                  the cache directory, and who binds
 *                                  a file by the same key shares its
 *                                  pages
 *   any other                      lost: nobody knows a name for it       `unsupported`
 */
import { type Task, tasks } from '@backplane/engine';
import {
  type Ipc,
  KernelError,
  type Machine,
  type Naming,
  type ObjectInstance,
  type PagedObject,
  type Vm,
} from '@backplane/slots';
import { FileClient, fileOfKey, type NamedFile, Senders, toSetOwner } from '@backplane/uio';
import type { BoundObject } from '@backplane/v-operations';

/** Without `naming` every object is lost with its manager. */
export interface BoundObjectsParts {
  readonly ipc: Ipc;
  readonly vm: Vm;
  readonly naming: Naming | undefined;
  readonly machine: Machine;
}

export class BoundObjects {
  static {
    tasks(BoundObjects);
  }

  readonly #vm: Vm;
  readonly #naming: Naming | undefined;
  readonly #senders: Senders;
  readonly #files: FileClient;

  constructor({ ipc, vm, naming, machine }: BoundObjectsParts) {
    const senders = new Senders(ipc, machine);
    this.#vm = vm;
    this.#naming = naming;
    this.#senders = senders;
    this.#files = new FileClient({
      asker: senders,
      owner: senders.owner,
      type: machine.type,
      probe: (manager) => ipc.probe(manager),
    });
  }

  /**
   * @throws KernelError `unsupported` where memory is no cache of objects, or for an object that has to be found and has no
   * name; what its manager answers
   */
  *open(o: BoundObject): Task<PagedObject> {
    const { objects } = this.#vm;
    if (objects === undefined) throw new KernelError('unsupported', 'a region of an open object');
    const reopen = this.#reopening(o);
    if (o.instance === noInstance) {
      if (reopen === undefined) throw new KernelError('unsupported', `nobody knows where "${o.key}" is`);
      return yield* objects.open({ ...o, ...(yield* reopen()), reopen });
    }
    const object = yield* objects.open(reopen === undefined ? o : { ...o, reopen });
    try {
      yield* this.#senders.send(o.manager, toSetOwner(o.instance, this.#senders.owner));
    } catch (e) {
      yield* object.release();
      throw e;
    }
    return object;
  }

  /** Undefined: it cannot be found again. */
  #reopening({ key, writable }: BoundObject): ObjectInstance['reopen'] {
    const naming = this.#naming;
    const named = fileOfKey(key);
    if (naming === undefined || named === undefined) return undefined;
    return () => this.#reopened(naming, named, writable);
  }

  /** @throws KernelError `stale` when it is not there any more */
  *#reopened(
    naming: Naming,
    { prefix, file }: NamedFile,
    writable: boolean,
  ): Task<{ readonly manager: ObjectInstance['manager']; readonly instance: number }> {
    const how = { read: true, write: writable };
    const { manager, instance } = yield* this.#files.reopen(naming.view(), prefix, file, how);
    return { manager, instance };
  }
}

/** In a request to bind: the kernel opens one. */
const noInstance = 0;
