/** One host with processes, run until a task ends. */
import { seconds, type Task } from '@backplane/engine';
import type { IpcProcess, MachineCosts } from '@backplane/slots';
import { OneProcessor, type TestMachine, testMachine } from '@backplane/slots/testing';
import { type Asker, asker } from '../asker.ts';
import { LocalIpc } from './local-ipc.ts';

export interface HostOptions {
  readonly costs?: Partial<MachineCosts>;
  readonly seed?: number;
}

export class TestHost {
  readonly machine: TestMachine;
  readonly ipc: LocalIpc = new LocalIpc();

  constructor({ costs, seed = 1 }: HostOptions = {}) {
    this.machine = testMachine({ seed, ...(costs !== undefined && { costs }) });
    if (costs !== undefined)
      this.machine.scope.executor = new OneProcessor(this.machine.scope, this.machine.type.costs);
  }

  get nowNs(): number {
    return this.machine.engine.nowNs;
  }

  process(name = 'client'): IpcProcess {
    return this.ipc.create({ name, scope: this.machine.scope, space: null });
  }

  asker(): Asker {
    return asker(this.process());
  }

  after(ns: number): void {
    this.machine.engine.run(this.nowNs + ns);
  }

  start<T>(body: () => Task<T>): { readonly ended: boolean; readonly value: T | undefined } {
    const thread = this.machine.scope.spawn('test', body());
    const state: { ended: boolean; value: T | undefined } = { ended: false, value: undefined };
    this.machine.engine.root.spawn(
      'end',
      (function* (): Task<void> {
        state.value = yield* thread.join();
        state.ended = true;
      })(),
    );
    return state;
  }

  /** To its end; what servers do from time to time goes on for so long at most. */
  run<T>(body: () => Task<T>): T {
    const state = this.start(body);
    const { engine } = this.machine;
    for (let i = 0; i < 3600 && !state.ended; i++) engine.run(engine.nowNs + seconds(1));
    if (!state.ended) throw new Error('it never ends');
    return state.value as T; // boundary: it has ended
  }
}
