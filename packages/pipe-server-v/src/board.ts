/**
 * The board for slot `servers`: V's pipe server, a process outside the kernel. Those who write and those who read are clients
 * of it alike, by uniform I/O: a pipe is what lets two clients meet that both expect a server.
 *
 *   createInstance   name                      mode            makes
 *                    none                      read and write  a pipe, and two instances: the one that is described is
 *                                                              written, the one with the next number is read
 *                    number of an instance     read, or write  one more instance of that side of its pipe
 *
 * The kernel never knows a pipe; the option `model` puts the same objects into a module of the kernel, for comparison.
 */
import { seconds, type Task } from '@backplane/engine';
import {
  type Component,
  defineComponent,
  type Ipc,
  KernelError,
  type Machine,
  type Server,
  wellKnown,
} from '@backplane/slots';
import { CreateMode, type CreateRequest, ServedObjects, type ServerModel } from '@backplane/uio';
import { z } from 'zod';
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
});
export interface PipeServerOptions {
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
  requires: ['ipc'],
  options,
  create: ({ ipc }, o, machine): Server => {
    const objects = new PipeServer(ipc, machine, o).objects;
    machine.metrics.register('pipes.ends', () => objects.instances.count);
    machine.metrics.register('pipes.collected', () => objects.instances.collected);
    return { process: objects.process.id };
  },
});

class PipeServer {
  readonly objects: ServedObjects<PipeEnd>;
  readonly #blockBytes: number;
  readonly #blocks: number;

  constructor(
    ipc: Ipc,
    machine: Machine,
    o: {
      readonly blockBytes: number;
      readonly blocks: number;
      readonly probeSeconds: number;
      readonly model: ServerModel;
    },
  ) {
    this.#blockBytes = o.blockBytes;
    this.#blocks = o.blocks;
    this.objects = new ServedObjects<PipeEnd>(ipc, machine, {
      name: 'pipe server',
      model: o.model,
      // Those that wait for the other side keep nobody else out.
      concurrent: Number.POSITIVE_INFINITY,
      probeNs: seconds(o.probeSeconds),
      create: (q) => this.#create(q),
    });
    this.objects.process.join(ipc.wellKnownGroup(wellKnown.pipeServers));
  }

  *#create({ name, mode }: CreateRequest): Task<readonly [PipeEnd, ...PipeEnd[]]> {
    const reads = (mode & CreateMode.read) !== 0;
    const writes = (mode & CreateMode.write) !== 0;
    if (name === '') {
      if (!reads || !writes) throw new KernelError('badArgument', 'a pipe with one end');
      const pipe = new Pipe(this.#blocks);
      return [new PipeEnd(pipe, 'write', this.#blockBytes), new PipeEnd(pipe, 'read', this.#blockBytes)];
    }
    const beside = this.objects.instances.find(Number(name));
    if (beside === undefined) throw new KernelError('notFound', name);
    if (reads === writes) throw new KernelError('badArgument', 'one end at a time');
    return [new PipeEnd(beside.object.pipe, reads ? 'read' : 'write', this.#blockBytes)];
  }
}
