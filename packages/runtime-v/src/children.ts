/**
 * Programs that a program has started. Each has a helper process in the parent's address space that waits for its end: a
 * process waits for one thing at a time, and the parent may want to wait for whichever child ends first.
 */
import { type Task, tasks, WaitQueue } from '@backplane/engine';
import {
  type EntityId,
  KernelError,
  type Program as Main,
  type NativeText,
  wellKnown,
} from '@backplane/slots';
import {
  ask,
  createProcess,
  createProgram,
  environmentAddress,
  orNothing,
  priorityOf,
  programLevels,
  selectHost,
  spaceOf,
  startProcess,
  writeSpace,
} from '@backplane/v-operations';
import { statusOf } from './ended.ts';
import { encodeEnvironment, type Inherited } from './environment.ts';
import { processNumber } from './process-number.ts';
import type { Program } from './program.ts';

interface Child {
  readonly root: EntityId;
  status: number | null;
}

/** Where the space of this process is: asked once. */
const noSpace = 0;

export class Children {
  static {
    tasks(Children);
  }

  readonly #program: Program;
  readonly #textOf: (main: Main) => NativeText;
  readonly #children = new Map<number, Child>();
  readonly #ended = new WaitQueue();
  #space = noSpace;

  constructor(program: Program, textOf: (main: Main) => NativeText) {
    this.#program = program;
    this.#textOf = textOf;
  }

  *spawn(name: string, main: Main): Task<number> {
    const program = this.#program;
    const { here: library, self } = program;
    const { texts } = library.machine.natives;
    const text = texts.add(this.#textOf(main));
    try {
      const { beside, level } = yield* this.#place();
      const environment = this.#environment(name, this.#mine());
      const request = { text, level, pages: 0, start: { name, environment } };
      const managers = this.#group(wellKnown.programManagers);
      const { root, space } = yield* ask(self.process, managers, createProgram, request, { beside });
      // What it begins with can only be made for it when it is known: its environment is written anew, of the same length.
      const inherited = yield* this.#bequeathed(root);
      if (inherited.length > 0) {
        const content = this.#environment(name, inherited);
        const written = { space, address: environmentAddress, content };
        yield* ask(self.process, this.#group(wellKnown.memoryManagers), writeSpace, written, {
          beside: root,
        });
      }
      const child: Child = { root, status: null };
      const number = processNumber(root);
      this.#children.set(number, child);
      yield* this.#watch(child, text);
      yield* ask(
        self.process,
        this.#group(wellKnown.processManagers),
        startProcess,
        { process: root },
        {
          beside: root,
        },
      );
      return number;
    } catch (e) {
      texts.remove(text);
      throw e;
    }
  }

  *wait(processId?: number): Task<{ readonly processId: number; readonly status: number }> {
    for (;;) {
      const wanted = [...this.#children].filter(
        ([number]) => processId === undefined || number === processId,
      );
      if (wanted.length === 0) throw new KernelError('noProcess');
      for (const [number, { status }] of wanted) {
        if (status === null) continue;
        this.#children.delete(number);
        return { processId: number, status };
      }
      yield* this.#ended.wait();
    }
  }

  /** The host on which a child is to run: this one, or the one with least to do, as a guest. */
  *#place(): Task<{ readonly beside: EntityId; readonly level: number }> {
    const { here: library, self } = this.#program;
    const here = { beside: self.process.id, level: programLevels.indexOf('foreground') };
    if (library.placement === 'local') return here;
    const need = { memoryBytes: 0, elsewhere: 1, machineType: library.machine.type.name };
    const servers = this.#group(wellKnown.placementServers);
    const found = yield* orNothing(ask(self.process, servers, selectHost, need, { beside: self.process.id }));
    return found === undefined ? here : { beside: found.manager, level: programLevels.indexOf('guest') };
  }

  /** A helper in our address space. */
  *#watch(child: Child, text: number): Task<void> {
    const { here: library, self } = this.#program;
    const { natives } = library.machine;
    const { process } = self;
    const [at, ended] = [() => this.#program.here.ipc, this.#ended];
    const watching = natives.texts.add(function* watch(helper) {
      child.status = yield* statusOf(at, helper.process, child.root);
      natives.texts.remove(text);
      natives.texts.remove(watching);
      ended.wakeAll();
      return 0;
    });
    if (this.#space === noSpace) {
      const memory = this.#group(wellKnown.memoryManagers);
      this.#space = (yield* ask(
        process,
        memory,
        spaceOf,
        { process: process.id },
        { beside: process.id },
      )).space;
    }
    const servers = this.#group(wellKnown.processManagers);
    const made = {
      space: this.#space,
      text: watching,
      argument: 0,
      priority: priorityOf('foreground'),
      name: 'watch',
    };
    const { process: helper } = yield* ask(process, servers, createProcess, made, { beside: process.id });
    yield* ask(process, servers, startProcess, { process: helper }, { beside: process.id });
  }

  #mine(): readonly Inherited[] {
    return [...this.#program.descriptors.all()].map(([fd, o]) => this.#program.describe(fd, o));
  }

  *#bequeathed(heir: EntityId): Task<readonly Inherited[]> {
    const inherited: Inherited[] = [];
    const known = new Map<object, Inherited>();
    for (const [fd, o] of [...this.#program.descriptors.all()]) {
      const one = known.get(o) ?? (yield* this.#program.bequeath(fd, o, heir));
      known.set(o, one);
      inherited.push({ ...one, fd });
    }
    return inherited;
  }

  #environment(name: string, open: readonly Inherited[]): Uint8Array {
    const { view, umask, who } = this.#program;
    return encodeEnvironment({ name, workingDirectory: view.workingDirectory, umask, who, open });
  }

  #group(number: number): EntityId {
    return this.#program.here.ipc.wellKnownGroup(number);
  }
}
