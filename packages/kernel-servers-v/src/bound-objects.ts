/**
 * The open objects that regions are bound to. Who binds one hands its instance over: from then on the kernel owns it, whoever
 * ends. A program that loads and stores cannot be asked to open its file again after the death of the file's manager, so
 * its kernel does: at whoever manages the prefix of the object's key by then, by the file's number.
 *
 *   key of an object               after its manager's death
 *   <prefix>:<file>:<version>      found again: so keys are made by the cache directory, and who binds a file by the same
 *                                  key shares its pages
 *   any other                      lost: nobody knows a name for it
 */
import { type Task, tasks } from '@backplane/engine';
import { fileOfToken } from '@backplane/file-service';
import {
  type FileId,
  type Ipc,
  KernelError,
  type Machine,
  type Naming,
  type ObjectInstance,
  type PagedObject,
  type Vm,
} from '@backplane/slots';
import { FileClient, Senders, toSetOwner } from '@backplane/uio';
import type { BoundObject } from '@backplane/v-operations';

/** What a key says of where the object is. */
interface Named {
  readonly prefix: string;
  readonly file: FileId;
}

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

  /** @throws KernelError `unsupported` where memory is no cache of objects; what its manager answers */
  *open(o: BoundObject): Task<PagedObject> {
    if (this.#vm.objects === undefined) throw new KernelError('unsupported', 'a region of an open object');
    const object = yield* this.#vm.objects.open(this.#lasting(o));
    try {
      yield* this.#senders.send(o.manager, toSetOwner(o.instance, this.#senders.owner));
    } catch (e) {
      yield* object.release();
      throw e;
    }
    return object;
  }

  #lasting(o: BoundObject): ObjectInstance {
    const naming = this.#naming;
    const named = namedIn(o.key);
    if (naming === undefined || named === undefined) return o;
    return { ...o, reopen: () => this.#reopened(naming, named, o.writable) };
  }

  /** @throws KernelError `stale` when it is not there any more */
  *#reopened(
    naming: Naming,
    { prefix, file }: Named,
    writable: boolean,
  ): Task<{ readonly manager: ObjectInstance['manager']; readonly instance: number }> {
    const how = { read: true, write: writable };
    const { manager, instance } = yield* this.#files.reopen(naming.view(), prefix, file, how);
    return { manager, instance };
  }
}

/** Taken apart from its end: a prefix may have colons of its own. */
function namedIn(key: string): Named | undefined {
  const [, prefix, at] = /^(\/.*):([^:]*):[^:]*$/.exec(key) ?? [];
  const file = at === undefined ? undefined : fileOfToken(at);
  return prefix === undefined || file === undefined ? undefined : { prefix, file };
}
