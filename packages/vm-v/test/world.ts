/** One host with this memory and no other boards: what programs do with memory of their own. */
import type { Task } from '@backplane/engine';
import {
  type AddressSpace,
  entityId,
  type FrameHolder,
  type Ipc,
  type IpcProcess,
  type MemoryPolicy,
  type Vm,
} from '@backplane/slots';
import { Frames, type TestMachine, testMachine } from '@backplane/slots/testing';
import { type VMemoryOptions, vMemory } from '../src/index.ts';

export class World {
  readonly machine: TestMachine;
  readonly memory: Frames;
  readonly vm: Vm;
  readonly holders: FrameHolder[] = [];

  constructor(frames: number, options: VMemoryOptions = {}) {
    this.machine = testMachine();
    this.memory = new Frames(frames);
    const policy: MemoryPolicy = {
      register: (h) => {
        this.holders.push(h);
        return () => {};
      },
      tryClaim: (by) => this.memory.allocate(by.name),
      *claim() {
        return undefined;
      },
    };
    // boundary: nobody is sent anything while no object is open
    const process = { id: entityId('00000000000000aa'), serve: () => {} } as unknown as IpcProcess;
    const ipc = { create: () => process } as unknown as Ipc;
    const granted = { ipc, memory: this.memory, memoryPolicy: policy, naming: {}, wrapped: new Map() };
    this.vm = vMemory(options).create(granted as never, this.machine);
  }

  get holder(): FrameHolder {
    const [holder] = this.holders;
    if (holder === undefined) throw new Error('nobody has registered');
    return holder;
  }

  space(): AddressSpace {
    return this.vm.space('program');
  }

  run<T>(body: () => Task<T>): T {
    const results: T[] = [];
    const { machine } = this;
    machine.scope.spawn(
      'test',
      (function* (): Task<void> {
        results.push(yield* body());
      })(),
    );
    machine.engine.run();
    return results[0] as T; // boundary: it has come to its end, or the engine has thrown
  }
}
