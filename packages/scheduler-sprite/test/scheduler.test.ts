import { charge, settle, sleep, type Task } from '@backplane/engine';
import { Busy, type Processors } from '@backplane/slots';
import { BareProcessors, testMachine } from '@backplane/slots/testing';
import { describe, expect, it } from 'vitest';
import { spriteScheduler } from '../src/index.ts';

function world(
  o: { readonly processors?: number; readonly contextSwitchNs?: number; readonly quantumMs?: number } = {},
) {
  const machine = testMachine({
    processors: o.processors ?? 1,
    costs: { contextSwitchNs: o.contextSwitchNs ?? 0 },
  });
  const cpu: Processors = new BareProcessors(machine);
  const scheduler = spriteScheduler({ quantumMs: o.quantumMs ?? 100 }).create(
    { processors: cpu, wrapped: new Map() } as never,
    machine,
  );
  const log: string[] = [];
  const compute = (name: string, ns: number, category: number = Busy.user) =>
    machine.scope.spawn(
      name,
      (function* (): Task<void> {
        charge(ns, category);
        yield* settle();
        log.push(`${name} at ${machine.engine.nowNs}`);
      })(),
    );
  return { machine, cpu, scheduler, log, compute, run: () => machine.engine.run() };
}

describe('time sharing', () => {
  it('runs what is charged one after the other on one processor', () => {
    const w = world();
    w.compute('a', 10);
    w.compute('b', 20);
    w.run();
    expect(w.log).toEqual(['a at 10', 'b at 30']);
  });

  it('runs side by side on two', () => {
    const w = world({ processors: 2 });
    w.compute('a', 10);
    w.compute('b', 20);
    w.run();
    expect(w.log).toEqual(['a at 10', 'b at 20']);
  });

  it('gives way after a quantum to who has used less', () => {
    const w = world({ quantumMs: 1 });
    w.compute('long', 5_000_000);
    w.compute('short', 1_000_000);
    w.run();
    expect(w.log).toEqual(['short at 2000000', 'long at 6000000']);
  });

  it('lets kernel work take the processor from a program at once', () => {
    const w = world();
    w.compute('program', 100);
    w.machine.scope.spawn(
      'daemon',
      (function* (): Task<void> {
        yield* sleep(30);
        charge(20, Busy.network);
        yield* settle();
        w.log.push(`daemon at ${w.machine.engine.nowNs}`);
      })(),
    );
    w.run();
    expect(w.log).toEqual(['daemon at 50', 'program at 120']);
  });

  it('charges a context switch to a thread that had blocked, and none to one that had not', () => {
    const w = world({ contextSwitchNs: 7 });
    w.machine.scope.spawn(
      'blocker',
      (function* (): Task<void> {
        charge(10);
        yield* settle();
        w.log.push(`first at ${w.machine.engine.nowNs}`);
        yield* sleep(100);
        charge(10);
        yield* settle();
        w.log.push(`second at ${w.machine.engine.nowNs}`);
      })(),
    );
    w.run();
    expect(w.log).toEqual(['first at 10', 'second at 127']);
    expect(w.machine.metric('scheduler.contextSwitches')).toBe(1);
  });

  it('prefers a thread of higher priority when both have used as much', () => {
    const w = world({ quantumMs: 1 });
    w.compute('first', 1_000_000);
    const slow = w.compute('slow', 3_000_000);
    const fast = w.compute('fast', 3_000_000);
    w.scheduler.setPriority(slow, -1);
    w.scheduler.setPriority(fast, 1);
    w.run();
    expect(w.log.map((l) => l.split(' ')[0])).toEqual(['first', 'fast', 'slow']);
  });
});
