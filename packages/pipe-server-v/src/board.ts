/**
 * The board for slot `servers`: V's pipe server, a process outside the kernel. Those who write and those who read are clients
 * of it alike, by uniform I/O: a pipe is what lets two clients meet that both expect a server.
 *
 *   createInstance   name                      mode            makes
 *                    none                      read and write  a pipe, and two instances: the one that is described is
 *                                                              written, the one with the next number is read
 *                    number of an instance     read, or write  one more instance of that side of its pipe
 *
 * With the option `prefix` pipes have names, too, and are opened as files are (`named-pipes.ts`).
 *
 * The kernel never knows a pipe; the option `model` puts the same objects into a module of the kernel, for comparison.
 */
import { seconds, type Task } from '@backplane/engine';
import {
  BackplaneError,
  type Component,
  defineComponent,
  type EntityId,
  type Ipc,
  KernelError,
  type Machine,
  type Naming,
  type Server,
  wellKnown,
} from '@backplane/slots';
import { CreateMode, type CreateRequest, ServedObjects, type ServerModel } from '@backplane/uio';
import { z } from 'zod';
import { NamedPipes } from './named-pipes.ts';
import { Pipe } from './pipe.ts';
import { PipeEnd } from './pipe-end.ts';
import { version } from './version.ts';

const options = z.strictObject({
  blockBytes: z.int().min(1).max(16_384).default(1024).describe('what one read or write moves at most'),
  blocks: z.int().min(1).max(1024).default(4).describe('how many blocks a pipe holds; who writes more waits'),
  probeSeconds: z
    .number()
    .positive()
    .default(30)
    .describe('how often the server asks whether the owners of the ends are alive'),
  model: z
    .enum(['messages', 'procedures'])
    .default('messages')
    .describe('a program that receives messages, or a module of the kernel that is called'),
  prefix: z
    .string()
    .regex(/^(\/.+)?$/, 'a prefix begins with a slash, and is not the root')
    .default('')
    .describe('where pipes have names that programs open, of no other server; empty: they have none'),
});
type Settings = z.output<typeof options>;

export interface PipeServerOptions {
  readonly prefix?: string;
  readonly blockBytes?: number;
  readonly blocks?: number;
  readonly probeSeconds?: number;
  readonly model?: ServerModel;
}

export const pipeServer: Component<'servers', PipeServerOptions> = /* @__PURE__ */ defineComponent({
  name: '@backplane/pipe-server-v',
  version,
  slot: 'servers',
  contract: 1,
  requires: ['ipc', 'naming?'],
  options,
  create: ({ ipc, naming }, o, machine): Server => new PipeServer(ipc, naming, machine, o),
  *start(board) {
    const { names } = board as PipeServer; // boundary: what was created above
    if (names !== null) yield* names.start();
  },
  *halt(board) {
    const { names } = board as PipeServer;
    if (names !== null) yield* names.halt();
  },
});

class PipeServer implements Server {
  readonly names: NamedPipes | null;
  readonly #objects: ServedObjects<PipeEnd>;
  readonly #blockBytes: number;
  readonly #blocks: number;

  constructor(ipc: Ipc, naming: Naming | undefined, machine: Machine, o: Settings) {
    const { blocks, blockBytes, prefix } = o;
    this.#blockBytes = blockBytes;
    this.#blocks = blocks;
    const objects = new ServedObjects<PipeEnd>(ipc, machine, {
      name: 'pipe server',
      model: o.model,
      // Those that wait for the other side keep nobody else out.
      concurrent: Number.POSITIVE_INFINITY,
      probeNs: seconds(o.probeSeconds),
      create: (q) => this.#create(q),
    });
    this.#objects = objects;
    if (prefix !== '' && naming === undefined) throw nobodyToTell(prefix);
    this.names =
      prefix === '' || naming === undefined
        ? null
        : new NamedPipes({ prefix, naming, objects, machine, blocks, blockBytes });
    const { names } = this;
    const { metrics } = machine;
    metrics.register('pipes.ends', () => objects.instances.count);
    metrics.register('pipes.collected', () => objects.instances.collected);
    if (names !== null) metrics.register('pipes.names', () => names.count);
    objects.process.join(ipc.wellKnownGroup(wellKnown.pipeServers));
  }

  get process(): EntityId {
    return this.#objects.process.id;
  }

  *#create({ name, mode }: CreateRequest): Task<readonly [PipeEnd, ...PipeEnd[]]> {
    const reads = (mode & CreateMode.read) !== 0;
    const writes = (mode & CreateMode.write) !== 0;
    if (name === '') {
      if (!reads || !writes) throw new KernelError('badArgument', 'a pipe with one end');
      const pipe = new Pipe(this.#blocks);
      return [new PipeEnd(pipe, 'write', this.#blockBytes), new PipeEnd(pipe, 'read', this.#blockBytes)];
    }
    const beside = this.#objects.instances.find(Number(name));
    if (beside === undefined) throw new KernelError('notFound', name);
    if (reads === writes) throw new KernelError('badArgument', 'one end at a time');
    return [new PipeEnd(beside.object.pipe, reads ? 'read' : 'write', this.#blockBytes)];
  }
}

const nobodyToTell = (prefix: string): BackplaneError =>
  new BackplaneError(
    'NO_NAMING',
    { prefix },
    `@backplane/pipe-server-v: pipes under "${prefix}" are found by name, and nothing fills the slot "naming".`,
    'Fill the slot, or leave out the option prefix: pipes then have no names.',
  );
