/** One machine by itself: a whole Sprite kernel over a transport that only reaches its own host. */
import { lruBlockCache } from '@backplane/block-cache-lru';
import { noCache } from '@backplane/cache-none';
import { Cluster } from '@backplane/chassis';
import type { Task } from '@backplane/engine';
import { memoryStorage } from '@backplane/fs-memory';
import { ethernet } from '@backplane/hw-ethernet';
import { sun3x75, zeroCost } from '@backplane/hw-machines';
import { memory } from '@backplane/hw-memory';
import { processors } from '@backplane/hw-processor';
import { negotiatedMemory } from '@backplane/memory-policy-negotiated';
import { prefixNaming } from '@backplane/naming-prefix';
import { pipes } from '@backplane/objects-pipe';
import { spriteScheduler } from '@backplane/scheduler-sprite';
import {
  type Calls,
  type Component,
  defineComponent,
  defineKernel,
  KernelError,
  type Procedure,
  silent,
  type Transport,
} from '@backplane/slots';
import { streams } from '@backplane/streams';
import { spriteSystemCalls } from '@backplane/syscalls-sprite';
import { residentVm } from '@backplane/vm-resident';

/** Calls to oneself, encoded and decoded as on a wire; nobody else is there. */
const loopback: Component<'transport'> = defineComponent({
  name: 'test-loopback',
  version: '1.0.0',
  slot: 'transport',
  contract: 1,
  requires: [],
  create: (_granted, _options, machine): Transport => {
    type Handler = Parameters<Transport['serve']>[1];
    const handlers = new Map<
      number,
      { readonly procedure: Procedure<unknown, unknown>; readonly handler: Handler }
    >();
    const undo = (): void => {};
    return {
      self: machine.host,
      maxParametersBytes: 1024,
      maxDataBytes: 16_384,
      *call<Q, R>(to: number, procedure: Procedure<Q, R>, request: Q): Task<R> {
        const served = handlers.get(procedure.id);
        if (to !== machine.host || served === undefined) throw new KernelError('peerDown');
        const decoded = procedure.request.decode(procedure.request.encode(request));
        const answer = yield* served.handler(decoded as never, {
          host: machine.host,
          bootId: machine.bootId,
        });
        if (answer === silent) throw new KernelError('peerDown');
        const reply = procedure.reply.decode(procedure.reply.encode(answer as R));
        if (reply === undefined) throw new Error(`${procedure.name}: the reply does not decode`);
        return reply;
      },
      *ask() {
        return [];
      },
      serve(procedure, handler) {
        handlers.set(procedure.id, { procedure: procedure as never, handler: handler as never });
        return undo;
      },
      peers: {
        onDead: () => undo,
        onReboot: () => undo,
        watch: () => undo,
        isAlive: () => true,
        *awaitAlive() {},
      },
    };
  },
});

const kernel = defineKernel('alone', {
  processors: processors(),
  memory: memory(),
  scheduler: spriteScheduler(),
  transport: loopback(),
  naming: prefixNaming(),
  memoryPolicy: negotiatedMemory(),
  blockCache: lruBlockCache(),
  storage: { '/': memoryStorage() },
  streams: streams(),
  fileCache: noCache(),
  objects: { pipe: pipes() },
  vm: residentVm(),
  systemCalls: spriteSystemCalls(),
});

/** Runs one program to its end and hands out what it returns. */
export function alone<T>(program: (sys: Calls) => Task<T>, o: { readonly costs?: boolean } = {}): T {
  const cluster = new Cluster({
    medium: ethernet(),
    machines: [{ name: 'mint', type: o.costs === true ? sun3x75 : zeroCost, role: 'client', kernel }],
  });
  const results: T[] = [];
  cluster.drive(
    'test',
    (function* (): Task<void> {
      yield* cluster.bootAll();
      const running = cluster
        .machine('mint')
        .board('systemCalls')
        .start('program', function* (sys) {
          results.push(yield* program(sys));
          return 0;
        });
      yield* running.join();
    })(),
  );
  const [result] = results;
  if (results.length === 0) throw new Error('the program did not end well');
  return result as T;
}
