import { charge, settle, sleep, type Task, type Thread } from '@backplane/engine';
import { Busy, type Processors } from '@backplane/slots';
import { BareProcessors, testMachine } from '@backplane/slots/testing';
import { priorityOf } from '@backplane/v-operations';
import { describe, expect, it } from 'vitest';
import { vScheduler } from '../src/index.ts';

function world(
  o: { readonly processors?: number; readonly contextSwitchNs?: number; readonly balanceMs?: number } = {},
) {
  const machine = testMachine({
    processors: o.processors ?? 1,
    costs: { contextSwitchNs: o.contextSwitchNs ?? 0 },
  });
  const cpu: Processors = new BareProcessors(machine);
  const scheduler = vScheduler({ balanceMs: o.balanceMs ?? 100 }).create(
    { processors: cpu, wrapped: new Map() } as never,
    machine,
  );
  const log: string[] = [];
  const at = (name: string): void => void log.push(`${name} at ${machine.engine.nowNs}`);
  /** Computes after a while. */
  const compute = (name: string, ns: number, category: number = Busy.user, afterNs = 0): Thread<void> =>
    machine.scope.spawn(
      name,
      (function* (): Task<void> {
        if (afterNs > 0) yield* sleep(afterNs);
        charge(ns, category);
        yield* settle();
        at(name);
      })(),
    );
  return { machine, cpu, scheduler, log, at, compute, run: () => machine.engine.run() };
}

describe('the dispatcher', () => {
  it('runs equals in the order of their arrival, each to its end', () => {
    const w = world();
    w.compute('a', 500_000_000);
    w.compute('b', 20);
    w.run();
    expect(w.log).toEqual(['a at 500000000', 'b at 500000020']);
  });

  it('runs the better priority first, and lets it take the processor from a worse one at once', () => {
    const w = world();
    w.scheduler.setPriority(w.compute('guest', 100), priorityOf('guest'));
    w.scheduler.setPriority(w.compute('user', 50, Busy.user, 30), priorityOf('foreground'));
    w.scheduler.setPriority(w.compute('control', 10, Busy.user, 40), priorityOf('realTime'));
    w.run();
    expect(w.log).toEqual(['control at 50', 'user at 90', 'guest at 160']);
    expect(w.machine.metric('scheduler.preemptions')).toBe(2);
  });

  it('does not take the processor from who is inside the kernel', () => {
    const w = world();
    w.scheduler.setPriority(w.compute('guest', 100, Busy.kernel), priorityOf('guest'));
    w.scheduler.setPriority(w.compute('control', 10, Busy.user, 40), priorityOf('realTime'));
    w.run();
    expect(w.log).toEqual(['guest at 100', 'control at 110']);
  });

  it('lets threads whose priority nobody set go before programs while they work in the kernel', () => {
    const w = world();
    w.scheduler.setPriority(w.compute('program', 100), priorityOf('realTime'));
    w.compute('daemon', 20, Busy.network, 30);
    w.run();
    expect(w.log).toEqual(['daemon at 50', 'program at 120']);
  });

  it('leaves the processor with a process that computes on, whoever of its equals waits', () => {
    const w = world();
    w.machine.scope.spawn(
      'first',
      (function* (): Task<void> {
        for (let i = 0; i < 3; i++) {
          charge(10);
          yield* settle();
        }
        w.at('first');
      })(),
    );
    w.compute('second', 10);
    w.run();
    expect(w.log).toEqual(['first at 30', 'second at 40']);
  });

  it('gives it to the next one when the process blocks, and charges the switch back', () => {
    const w = world({ contextSwitchNs: 7 });
    w.machine.scope.spawn(
      'first',
      (function* (): Task<void> {
        charge(10);
        yield* settle();
        yield* sleep(1);
        charge(10);
        yield* settle();
        w.at('first');
      })(),
    );
    w.compute('second', 10);
    w.run();
    expect(w.log).toEqual(['second at 20', 'first at 37']);
    expect(w.machine.metric('scheduler.contextSwitches')).toBe(1);
  });

  it('heeds a new priority at once: of one that waits, and of the one that runs', () => {
    const w = world();
    const a = w.compute('a', 100);
    const b = w.compute('b', 100);
    w.compute('c', 100);
    w.machine.scope.spawn(
      'slicer',
      (function* (): Task<void> {
        yield* sleep(50);
        w.scheduler.setPriority(b, priorityOf('scheduler'));
        yield* sleep(20);
        w.scheduler.setPriority(b, priorityOf('background'));
        w.scheduler.setPriority(a, priorityOf('background'));
      })(),
    );
    w.run();
    expect(w.log).toEqual(['c at 170', 'a at 220', 'b at 300']);
  });

  it('suspends by priority, and lets go on', () => {
    const w = world();
    const a = w.compute('a', 100);
    w.machine.scope.spawn(
      'debugger',
      (function* (): Task<void> {
        yield* sleep(40);
        w.scheduler.setPriority(a, priorityOf('stop'));
        expect(w.scheduler.runnable).toBe(0);
        yield* sleep(1000);
        w.scheduler.setPriority(a, priorityOf('guest'));
        expect(w.scheduler.runnable).toBe(1);
      })(),
    );
    w.run();
    expect(w.log).toEqual(['a at 1100']);
  });

  it('slices no time by itself; a process that changes priorities does', () => {
    const w = world();
    const [a, b] = [w.compute('a', 50), w.compute('b', 50)];
    w.machine.scope.spawn(
      'slicer',
      (function* (): Task<void> {
        for (let turn = 0; turn < 8; turn++) {
          w.scheduler.setPriority(a, priorityOf(turn % 2 === 0 ? 'foreground' : 'background'));
          w.scheduler.setPriority(b, priorityOf(turn % 2 === 1 ? 'foreground' : 'background'));
          yield* sleep(20);
        }
      })(),
    );
    w.run();
    expect(w.log).toEqual(['a at 90', 'b at 100']);
  });
});

describe('several processors', () => {
  it('have queues of their own, in which newcomers are spread', () => {
    const w = world({ processors: 2 });
    for (const name of ['a', 'b', 'c', 'd']) w.compute(name, 10);
    w.run();
    expect(w.log).toEqual(['a at 10', 'b at 10', 'c at 20', 'd at 20']);
  });

  it('get processes from longer queues when it is time to balance, not before', () => {
    const w = world({ processors: 2, balanceMs: 1 });
    w.compute('short', 10);
    w.compute('long', 5_000_000);
    w.compute('behind short', 10);
    w.compute('behind long', 10);
    w.compute('last', 10, Busy.user, 5);
    w.run();
    expect(w.log).toEqual([
      'short at 10',
      'behind short at 20',
      'last at 30',
      'behind long at 1000010',
      'long at 5000000',
    ]);
    expect(w.machine.metric('scheduler.moves')).toBe(1);
  });

  it('are no reason for events while nothing waits', () => {
    const w = world({ processors: 4 });
    w.compute('a', 10);
    w.run();
    expect(w.machine.engine.nowNs).toBe(10);
  });
});
