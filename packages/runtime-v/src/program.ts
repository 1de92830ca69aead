/** A running program: its root process and what the library keeps for it, all of which would be in its memory. */
import { type Task, tasks } from '@backplane/engine';
import { compareBytes, Descriptors } from '@backplane/file-service';
import {
  type Attempt,
  aboutOf,
  type Credentials,
  done,
  type EntityId,
  type FileId,
  isKernelError,
  KernelError,
  type NameOps,
  type NameTarget,
  type NameView,
  type NativeSelf,
  type OpenHow,
  type TwoNameOp,
} from '@backplane/slots';
import {
  type Asker,
  asker,
  CreateMode,
  callProcedure,
  descriptionOf,
  FileClient,
  followFile,
  has,
  Instance,
  type InstancePlace,
  type OpenedFile,
} from '@backplane/uio';
import type { Environment, Inherited } from './environment.ts';
import type { Library } from './library.ts';
import { OpenObject } from './open-object.ts';
import { FollowedFile, type Wanderer } from './wandering.ts';

const protocol = 'uio';

export class Program implements Wanderer {
  static {
    tasks(Program);
  }

  readonly self: NativeSelf;
  readonly name: string;
  readonly descriptors: Descriptors<OpenObject>;
  readonly asker: Asker;
  umask: number;
  who: Credentials;
  readonly #linked: Library;
  /** Names as it knows them, and the library whose host is asked for others. */
  #view: NameView;
  #viewedFrom: Library;
  readonly #files: FileClient;

  /** @param view where its names are looked up: its own cache of prefixes, as its parent left it to it */
  constructor(library: Library, self: NativeSelf, view: NameView, e: Environment) {
    this.#linked = library;
    this.self = self;
    this.name = e.name;
    this.#view = view;
    this.#viewedFrom = library;
    this.umask = e.umask;
    this.who = e.who;
    this.descriptors = new Descriptors(library.descriptorsMax);
    this.asker = asker(self.process);
    const at = (): Library => this.here;
    this.#files = new FileClient({
      asker: this.asker,
      owner: self.process.id,
      get type() {
        return at().machine.type;
      },
      probe: (manager) => at().ipc.probe(manager),
      directory: () => at().directory(self.process),
    });
  }

  /** Of the host where it is now. */
  get here(): Library {
    return this.#linked.at(this.self.host);
  }

  get view(): NameView {
    const library = this.here;
    if (library !== this.#viewedFrom) {
      this.#view = library.naming.adopt?.(this.#view) ?? this.#view;
      this.#viewedFrom = library;
    }
    return this.#view;
  }

  // ---- names ----

  *open(path: string, how: OpenHow): Task<OpenObject> {
    return yield* this.view.perform(path, 'object', (t) => this.#opened(t, how));
  }

  *perform<K extends keyof NameOps>(
    path: string,
    op: K,
    argument: NameOps[K]['in'],
  ): Task<NameOps[K]['out']> {
    return yield* this.view.perform<NameOps[K]['out']>(path, aboutOf(op), (t) =>
      this.#files.name(ours(t), op, argument, this.who),
    );
  }

  /**
   * The names in a directory, whoever has them: sorted, each once.
   *
   * @throws KernelError `noAnswer` when somebody who shares the directory does not answer: what the others have is not all
   */
  *entries(path: string): Task<readonly string[]> {
    const { view } = this;
    const listed = (t: NameTarget): Task<Attempt<readonly string[]>> => this.#listed(t);
    if (view.performAll === undefined) return yield* view.perform(path, 'object', listed);
    const { whole, parts } = yield* view.performAll(path, listed);
    if (!whole) throw new KernelError('noAnswer', `some of those who share ${path}`);
    const names = parts.flatMap((part) => part.value.filter((name) => part.has(name)));
    return [...new Set(names)].sort(compareBytes);
  }

  /** All names at one manager, page by page. */
  *#listed(t: NameTarget): Task<Attempt<readonly string[]>> {
    const names: string[] = [];
    for (;;) {
      const page = yield* this.#files.name(ours(t), 'entries', { after: names.at(-1) ?? '' }, this.who);
      if (page.is !== 'done') return page;
      names.push(...page.value.names);
      if (page.value.complete) return done(names);
    }
  }

  *performTwo(op: TwoNameOp, first: string, second: string): Task<void> {
    const settle = (t: NameTarget) => this.#files.name(ours(t), 'stat', { follow: true }, this.who);
    yield* this.view.performTwo<null>(first, second, op === 'link' ? 'object' : 'entry', settle, (a, b) =>
      this.#files.nameTwo(op, ours(a), ours(b), this.who),
    );
  }

  *chdir(path: string): Task<void> {
    yield* this.view.chdir(path, (t) => this.#files.name(ours(t), 'enter', {}, this.who));
  }

  *#opened(t: NameTarget, how: OpenHow): Task<Attempt<OpenObject>> {
    const wanders = new FollowedFile(this, this.self.host);
    const outcome = yield* this.#files.open(ours(t), how, this.who);
    if (outcome.is !== 'done') return outcome;
    const { device, type } = outcome.value.attributes;
    if (device !== undefined) throw new KernelError('unsupported', 'a device of another kernel');
    return done(yield* this.#object(outcome.value, how, t.prefix, wanders, type === 'directory'));
  }

  *#object(
    opened: OpenedFile,
    how: OpenHow,
    prefix: string,
    wanders: FollowedFile,
    isDirectory: boolean,
  ): Task<OpenObject> {
    if (has(opened.uio, 'stream')) {
      const { manager, instance } = opened;
      return new OpenObject(yield* Instance.of(this.asker, manager, instance), how, null);
    }
    const { file } = opened;
    const instance = new Instance(this.asker, descriptionOf(opened), {
      again: () => this.#reopened(prefix, file, how),
      wanders,
    });
    return new OpenObject(instance, how, { prefix, file, isDirectory });
  }

  *followed(from: InstancePlace): Task<InstancePlace> {
    const pages = yield* this.here.pages(this.self.process);
    return pages === undefined ? from : yield* callProcedure(this.asker, pages, followFile, from);
  }

  *#reopened(prefix: string, file: FileId, how: OpenHow): Task<ReturnType<typeof descriptionOf>> {
    return descriptionOf(yield* this.#files.reopen(this.view, prefix, file, again(how)));
  }

  // ---- what is handed on ----

  /** As it is here: of the length that it will have when it is bequeathed. */
  describe(fd: number, { instance, how, offset, place }: OpenObject): Inherited {
    const kind = place === null ? 'pipe' : 'file';
    const { prefix, file } = place ?? nowhere;
    return {
      fd,
      kind,
      manager: instance.manager,
      instance: instance.number,
      how: again(how),
      offset,
      prefix,
      file,
    };
  }

  /** The same object for a child: an instance of its own, so that either may close its own. */
  *bequeath(fd: number, o: OpenObject, heir: EntityId): Task<Inherited> {
    const { how, place } = o;
    if (place === null) {
      const mode = how.read === true ? CreateMode.read : CreateMode.write;
      const { number, manager } = yield* Instance.create(this.asker, o.manager, {
        name: String(o.instance.number),
        mode,
        owner: heir,
      });
      return { ...this.describe(fd, o), manager, instance: number };
    }
    const { prefix, file } = place;
    const { manager, instance } = yield* this.#files.reopen(this.view, prefix, file, again(how), heir);
    return { ...this.describe(fd, o), manager, instance };
  }

  /** What the environment says that is open. Descriptors that were one object to the parent are one here. */
  *inherit(open: readonly Inherited[]): Task<void> {
    const known = new Map<string, OpenObject>();
    for (const o of open) {
      const key = `${o.manager}/${o.instance}`;
      const object = known.get(key);
      if (object !== undefined) object.uses++;
      const entered = object ?? (yield* this.#inherited(o));
      known.set(key, entered);
      this.descriptors.put(o.fd, entered);
    }
  }

  *#inherited({ kind, manager, instance, how, offset, prefix, file }: Inherited): Task<OpenObject> {
    const place = kind === 'file' ? { prefix, file, isDirectory: false } : null;
    const found = yield* Instance.of(this.asker, manager, instance, {
      ...(kind === 'file' && {
        again: () => this.#reopened(prefix, file, how),
        wanders: new FollowedFile(this, this.self.host),
      }),
    });
    const object = new OpenObject(found, how, place);
    object.offset = offset;
    return object;
  }

  /** Everything; an object whose close fails is closed all the same, and nobody is left to be told. */
  *closeAll(): Task<void> {
    for (const [fd] of [...this.descriptors.all()]) {
      try {
        yield* this.descriptors.remove(fd).close();
      } catch (e) {
        if (!isKernelError(e)) throw e;
      }
    }
  }
}

const nowhere = { prefix: '/', file: { domain: 0, number: 0, generation: 0 } };

/** To open what is there: not to make it, nor to cut it. */
const again = ({ read, write, append, execute }: OpenHow): OpenHow => ({
  ...(read === true && { read }),
  ...(write === true && { write }),
  ...(append === true && { append }),
  ...(execute === true && { execute }),
});

/** @throws KernelError `unsupported`: a manager that speaks another protocol */
function ours(t: NameTarget): NameTarget {
  if (t.protocol !== protocol) throw new KernelError('unsupported', `the protocol "${t.protocol}"`);
  return t;
}
