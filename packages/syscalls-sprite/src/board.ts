/** The board for slot `systemCalls`: Sprite's kernel calls for native programs. */
import type { Task } from '@backplane/engine';
import {
  type Component,
  defineComponent,
  type Program,
  type RunningProgram,
  type SystemCalls,
} from '@backplane/slots';
import { z } from 'zod';
import { Kernel } from './kernel.ts';
import { startProgram } from './process-calls.ts';
import { version } from './version.ts';

const options = z.strictObject({
  descriptorsMax: z.int().min(3).max(4096).default(64).describe('descriptors that one process can have open'),
});
export interface SpriteSystemCallsOptions {
  readonly descriptorsMax?: number;
}

export const spriteSystemCalls: Component<'systemCalls', SpriteSystemCallsOptions> =
  /* @__PURE__ */ defineComponent({
    name: '@backplane/syscalls-sprite',
    version,
    slot: 'systemCalls',
    contract: 1,
    requires: ['naming', 'streams', 'vm'],
    options,
    create: ({ naming, streams, vm }, { descriptorsMax }, machine): SystemCalls => {
      const kernel = new Kernel(naming, streams, vm, machine, descriptorsMax);
      return {
        start(name: string, program: Program, o = {}): RunningProgram {
          const process = kernel.createProcess(name, {
            parent: null,
            who: o.who ?? { uid: 0, gid: 0, groups: [] },
            umask: o.umask ?? 0o022,
          });
          startProgram(kernel, process, program);
          return {
            processId: process.id,
            get ended() {
              return process.ended;
            },
            *join(): Task<number> {
              if (process.thread !== null) yield* process.thread.join();
              return process.status ?? 0;
            },
            kill: () => process.thread?.cancel(),
          };
        },
        get processes() {
          return kernel.processes.count;
        },
      };
    },
  });
