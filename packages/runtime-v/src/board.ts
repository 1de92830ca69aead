/** The board for slot `systemCalls` as V has it: a library, linked with each program, and programs started by messages. */
import type { Task } from '@backplane/engine';
import {
  type Component,
  defineComponent,
  type EntityId,
  type Program as Main,
  type RunningProgram,
  type SystemCalls,
  wellKnown,
} from '@backplane/slots';
import {
  Askers,
  ask,
  createProgram,
  programLevels,
  startProcess,
  terminateProgram,
} from '@backplane/v-operations';
import { z } from 'zod';
import { statusOf } from './ended.ts';
import { encodeEnvironment } from './environment.ts';
import { Library, type Placement } from './library.ts';
import { processNumber } from './process-number.ts';
import { textOf } from './text.ts';
import { version } from './version.ts';

const options = z.strictObject({
  descriptorsMax: z.int().min(3).max(4096).default(64).describe('descriptors that one program can have open'),
  placement: z
    .enum(['local', 'least'])
    .default('local')
    .describe('where the programs run that a program starts: on its host, or on the one with least to do'),
  cache: z
    .enum(['pages', 'none'])
    .default('pages')
    .describe('whether files are opened by way of the cache directory of the host, if it has one'),
});
export interface RuntimeOptions {
  readonly cache?: 'pages' | 'none';
  readonly descriptorsMax?: number;
  readonly placement?: Placement;
}

export const runtime: Component<'systemCalls', RuntimeOptions> = /* @__PURE__ */ defineComponent({
  name: '@backplane/runtime-v',
  version,
  slot: 'systemCalls',
  contract: 1,
  requires: ['ipc', 'naming'],
  speaks: ['uio'],
  options,
  create: ({ ipc, naming }, { descriptorsMax, placement, cache }, machine): SystemCalls => {
    const library = new Library({
      ipc,
      naming,
      machine,
      descriptorsMax,
      placement,
      cached: cache === 'pages',
    });
    machine.natives.libraries.set(machine.host, library);
    machine.metrics.register('syscalls.calls', () => library.calls);
    return new Starter(library);
  },
});

/** Starts programs for somebody who sits before the machine. */
class Starter implements SystemCalls {
  readonly #linked: Library;
  readonly #askers: Askers;
  #running = 0;

  constructor(library: Library) {
    const { ipc, machine } = library;
    this.#linked = library;
    this.#askers = new Askers(ipc, 'shell', machine.scope);
  }

  get processes(): number {
    return this.#running;
  }

  start(name: string, main: Main, o: Parameters<SystemCalls['start']>[2] = {}): RunningProgram {
    const { machine, naming } = this.#linked;
    const { who = { uid: 0, gid: 0, groups: [] }, umask = 0o022 } = o;
    const text = machine.natives.texts.add(textOf(this.#linked, main, naming.view()));
    const environment = encodeEnvironment({ name, workingDirectory: '/', umask, who, open: [] });
    const running: Running = { root: null, status: null, killed: false };
    this.#running++;
    const thread = machine.scope.spawn(`start ${name}`, this.#run(running, { text, name, environment }));
    return {
      get processId() {
        return running.root === null ? 0 : processNumber(running.root);
      },
      get ended() {
        return running.status !== null;
      },
      *join(): Task<number> {
        yield* thread.join();
        return running.status ?? 0;
      },
      kill: () => {
        running.killed = true;
        if (running.root !== null) machine.scope.spawn(`kill ${name}`, this.#terminate(running.root));
      },
    };
  }

  *#run(
    running: Running,
    {
      text,
      name,
      environment,
    }: { readonly text: number; readonly name: string; readonly environment: Uint8Array },
  ): Task<void> {
    const { ipc, machine } = this.#linked;
    try {
      const here = ipc.create({ name: 'shell', scope: machine.scope, space: null });
      const beside = { beside: here.id };
      const level = programLevels.indexOf('foreground');
      const request = { text, level, pages: 0, start: { name, environment } };
      const managers = ipc.wellKnownGroup(wellKnown.programManagers);
      const { root } = yield* ask(here, managers, createProgram, request, beside);
      running.root = root;
      const awaiting = machine.scope.spawn(
        `await ${name}`,
        statusOf(() => ipc, this.#askers, root),
      );
      const processes = ipc.wellKnownGroup(wellKnown.processManagers);
      yield* ask(here, processes, startProcess, { process: root }, beside);
      if (running.killed) yield* this.#terminate(root);
      const status = yield* awaiting.join();
      running.status = status === destroyedStatus || status === undefined ? killedStatus : status;
      here.destroy();
    } finally {
      machine.natives.texts.remove(text);
      this.#running--;
    }
  }

  *#terminate(root: EntityId): Task<void> {
    const managers = this.#linked.ipc.wellKnownGroup(wellKnown.programManagers);
    yield* ask(this.#askers, managers, terminateProgram, { root }, { beside: root });
  }
}

interface Running {
  root: EntityId | null;
  status: number | null;
  killed: boolean;
}

/** What the process server says of who was not asked, and what shells show for it. */
const destroyedStatus = -1;
const killedStatus = 137;
