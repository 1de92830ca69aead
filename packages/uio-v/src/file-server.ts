/**
 * The file server: a program, that is to say one process which several threads work for, in the procedure model. It manages
 * names below its prefixes and has open files as instances. Every request names an instance, or carries a name.
 *
 * Lost in a crash: the process with its number, instances, locks. What clients had open they create again, under the number
 * of the next one.
 */
import type { Task } from '@backplane/engine';
import {
  attributesOf,
  fileKey,
  Locks,
  type OpenRequest,
  openName,
  permittedChange,
  ServedDomains,
} from '@backplane/file-service';
import {
  authority,
  done,
  type EntityId,
  type FileId,
  type Ipc,
  type IpcProcess,
  isKernelError,
  KernelError,
  type Machine,
  type Message,
  message,
  type Naming,
  type OpenHow,
  type Procedure,
  ReplyCode,
  type Storage,
  type Streams,
  staleName,
  type WireAttempt,
  type WriteWhen,
  wordOf,
} from '@backplane/slots';
import { type Instance, Instances } from './instances.ts';
import { failure, instanceOf, packed, unpacked } from './messages.ts';
import {
  atEnd,
  blockBytes,
  type Created,
  controlInstance,
  createInstance,
  lockInstance,
  modifyInstance,
  names,
  queryInstance,
  readInstance,
  recreateInstance,
  releaseInstance,
  setAttributes,
  unitBytes,
  writeInstance,
} from './operations.ts';
import { ServedOperations } from './served-operations.ts';

export interface FileServerOptions {
  readonly threads: number;
  readonly probeNs: number;
  readonly writes: WriteWhen;
}

export interface FileServerParts {
  readonly storages: ReadonlyMap<string, Storage>;
  readonly ipc: Ipc;
  readonly streams: Streams;
  readonly naming: Naming;
  readonly machine: Machine;
}

export class FileServer {
  readonly instances: Instances;
  readonly #process: IpcProcess;
  readonly #domains: ServedDomains;
  readonly #locks: Locks;
  readonly #naming: Naming;
  readonly #machine: Machine;
  readonly #writes: WriteWhen;

  constructor({ storages, ipc, streams, naming, machine }: FileServerParts, o: FileServerOptions) {
    this.#naming = naming;
    this.#machine = machine;
    this.#writes = o.writes;
    this.#locks = new Locks((w) => streams.wake(w));
    this.#domains = new ServedDomains(storages, machine, {
      *fresh(_, attributes) {
        return attributes;
      },
      freed: () => {},
    });
    this.instances = new Instances(ipc, machine, o.probeNs, (i) => this.#dropped(i));
    this.#process = ipc.create({ name: 'file server', scope: machine.scope, space: null });
    const operations = this.#operations();
    this.#process.serve((request) => operations.perform(request.message), { concurrent: o.threads });
  }

  /** Serves when the storages are whole, and lets itself be found. */
  *start(protocol: string): Task<void> {
    yield* this.#domains.start(this.#naming, protocol, authority(this.#process.id));
  }

  *halt(): Task<void> {
    yield* this.#domains.halt();
  }

  #operations(): ServedOperations {
    const all = new ServedOperations();
    const { serving } = this.#domains;
    const calls = serving.over(all);
    this.#domains.serveNames(calls, names);
    calls.serve(createInstance, (q) => this.#create(q));
    calls.serve(recreateInstance, (q) => this.#recreate(q));
    const raw = (code: number, operation: (i: Instance, m: Message) => Task<Message>): void =>
      void all.raw(code, (m) => serving.handle(this.#ofInstance(m, operation)));
    raw(readInstance, (i, m) => this.#read(i, m));
    raw(writeInstance, (i, m) => this.#write(i, m));
    const on = <Q, R>(p: Procedure<Q, R>, operation: (i: Instance, q: Q) => Task<R>): void =>
      raw(p.id, function* (i, m) {
        const q = p.request.decode(unpacked(m));
        if (q === undefined) return failure('badArgument');
        return packed(ReplyCode.ok, 0, p.reply.encode(yield* operation(i, q)));
      });
    on(releaseInstance, (i) => this.#release(i));
    on(queryInstance, (i) => this.#query(i));
    on(modifyInstance, (i, sizeBytes) => this.#modify(i, sizeBytes));
    on(setAttributes, (i, q) => this.#setAttributes(i, q));
    on(controlInstance, (i) => this.#sync(i));
    on(lockInstance, (i, q) => this.#lock(i, q));
    return all;
  }

  *#ofInstance(m: Message, operation: (i: Instance, m: Message) => Task<Message>): Task<Message> {
    const instance = this.instances.find(instanceOf(m));
    if (instance === undefined) throw new KernelError('stale', `instance ${instanceOf(m)}`);
    return yield* operation(instance, m);
  }

  // ---- instances ----

  *#create(q: OpenRequest & { readonly owner: EntityId }): Task<WireAttempt<Created>> {
    try {
      const domain = this.#domains.of(q.start);
      const opened = yield* openName(domain, q.how, q.start, q.path, q);
      if (opened.is !== 'done') return opened;
      const { file, created } = opened.value;
      if (q.how.truncate === true && !created) yield* domain.storage.truncate(file, 0);
      return done(yield* this.#open(file, q.how, q.owner));
    } catch (e) {
      if (isKernelError(e, 'stale')) return staleName;
      throw e;
    }
  }

  *#recreate(q: { readonly file: FileId; readonly how: OpenHow; readonly owner: EntityId }): Task<Created> {
    return yield* this.#open(q.file, q.how, q.owner);
  }

  *#open(file: FileId, how: OpenHow, owner: EntityId): Task<Created> {
    const { storage, opens } = this.#domains.of(file);
    const attributes = yield* storage.attributes(file);
    opens.open(file);
    return { instance: this.instances.add(file, how, owner).number, file, attributes };
  }

  *#release(i: Instance): Task<null> {
    if (this.instances.remove(i)) yield* this.#dropped(i);
    return null;
  }

  *#dropped(i: Instance): Task<void> {
    const own = ownerOf(i.number, '');
    this.#locks.breakWhere((owner, key) => key === fileKey(i.file) && owner.startsWith(own));
    yield* this.#domains.of(i.file).closed(i.file);
  }

  // ---- what is done to them ----

  *#read({ file }: Instance, m: Message): Task<Message> {
    const at = wordOf(m, 2) * blockBytes + wordOf(m, 3);
    const segment = yield* this.#storage(file).read(file, at, Math.min(unitBytes, wordOf(m, 4)));
    return message({ code: ReplyCode.ok, segment });
  }

  *#write({ file, how }: Instance, m: Message): Task<Message> {
    if (how.write !== true && how.append !== true) throw new KernelError('badHandle', 'not open for writing');
    const storage = this.#storage(file);
    const end = wordOf(m, 4) === atEnd;
    const at = end ? (yield* storage.attributes(file)).sizeBytes : wordOf(m, 2) * blockBytes + wordOf(m, 3);
    yield* storage.write(file, at, m.segment, this.#writes);
    const next = at + m.segment.length;
    return message({ code: ReplyCode.ok, words: [Math.floor(next / blockBytes), next % blockBytes] });
  }

  *#query({ file }: Instance) {
    return attributesOf(this.#machine.host, file, yield* this.#storage(file).attributes(file));
  }

  *#modify({ file }: Instance, sizeBytes: number): Task<null> {
    yield* this.#storage(file).truncate(file, sizeBytes);
    return null;
  }

  *#setAttributes({ file }: Instance, q: Parameters<typeof setAttributes.request.encode>[0]): Task<null> {
    const storage = this.#storage(file);
    const { nowNs } = this.#machine.engine;
    const change = permittedChange(q.change, yield* storage.attributes(file), q.who, nowNs);
    yield* storage.setAttributes(file, change);
    return null;
  }

  *#sync({ file }: Instance): Task<null> {
    yield* this.#storage(file).sync(file);
    return null;
  }

  *#lock(i: Instance, q: Parameters<typeof lockInstance.request.encode>[0]): Task<null> {
    this.#locks.lock(fileKey(i.file), ownerOf(i.number, q.owner), q.mode, q.waiter);
    return null;
  }

  #storage(file: FileId): Storage {
    return this.#domains.of(file).storage;
  }
}

const ownerOf = (instance: number, stream: string): string => `${instance}/${stream}`;
