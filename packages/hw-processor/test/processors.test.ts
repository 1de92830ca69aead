import { Timer } from '@backplane/engine';
import { Busy, type Processors } from '@backplane/slots';
import { testMachine } from '@backplane/slots/testing';
import { describe, expect, it } from 'vitest';
import { processors } from '../src/index.ts';

function world(count = 1): {
  readonly cpu: Processors;
  readonly log: string[];
  at(ns: number, act: () => void): void;
  run(): void;
  note(what: string): () => void;
} {
  const machine = testMachine({ processors: count });
  const cpu = processors().create({} as never, machine);
  const log: string[] = [];
  return {
    cpu,
    log,
    at: (ns, act) => new Timer(machine.scope, 'test', act).setAt(ns),
    run: () => machine.engine.run(),
    note: (what) => () => void log.push(`${what} at ${machine.engine.nowNs}`),
  };
}

describe('processors', () => {
  it('execute work for as long as it takes, and account for it by category', () => {
    const w = world();
    w.cpu.run(0, 100, Busy.files, w.note('done'));
    w.run();
    expect(w.log).toEqual(['done at 100']);
    expect(w.cpu.busyNs(Busy.files)).toBe(100);
    expect(w.cpu.busyNs()).toBe(100);
  });

  it('let an interrupt preempt the work, which then goes on where it was', () => {
    const w = world();
    w.cpu.run(0, 100, Busy.user, w.note('work'));
    w.at(30, () => w.cpu.interrupt(20, Busy.interrupt, w.note('interrupt')));
    w.run();
    expect(w.log).toEqual(['interrupt at 50', 'work at 120']);
    expect([w.cpu.busyNs(Busy.user), w.cpu.busyNs(Busy.interrupt)]).toEqual([100, 20]);
  });

  it('queue interrupts in order of arrival, those too that an interrupt raises', () => {
    const w = world();
    w.cpu.interrupt(10, Busy.interrupt, () => {
      w.note('a')();
      w.cpu.interrupt(5, Busy.interrupt, w.note('raised by a'));
    });
    w.cpu.interrupt(10, Busy.interrupt, w.note('b'));
    w.run();
    expect(w.log).toEqual(['a at 10', 'b at 20', 'raised by a at 25']);
  });

  it('serve an interrupt that costs nothing at once, unless others are under way', () => {
    const w = world();
    w.cpu.interrupt(0, Busy.interrupt, w.note('first'));
    expect(w.log).toEqual(['first at 0']);
    w.cpu.interrupt(10, Busy.interrupt, w.note('second'));
    w.cpu.interrupt(0, Busy.interrupt, w.note('third'));
    w.run();
    expect(w.log).toEqual(['first at 0', 'second at 10', 'third at 10']);
  });

  it('hand back what a preempted piece of work has left, and never call its end', () => {
    const w = world();
    w.cpu.run(0, 100, Busy.user, w.note('never'));
    w.at(40, () => {
      w.log.push(`left ${w.cpu.preempt(0)}`);
      expect(w.cpu.idle(0)).toBe(true);
    });
    w.run();
    expect(w.log).toEqual(['left 60']);
    expect(w.cpu.busyNs()).toBe(40);
  });

  it('take work while interrupts are served, and start it afterwards', () => {
    const w = world();
    w.cpu.interrupt(10, Busy.interrupt, w.note('interrupt'));
    w.cpu.run(0, 5, Busy.kernel, w.note('work'));
    w.run();
    expect(w.log).toEqual(['interrupt at 10', 'work at 15']);
  });

  it('work side by side where there are several', () => {
    const w = world(2);
    w.cpu.run(0, 100, Busy.user, w.note('zero'));
    w.cpu.run(1, 60, Busy.user, w.note('one'));
    w.run();
    expect(w.log).toEqual(['one at 60', 'zero at 100']);
  });

  it('forget everything when the machine loses power, inside an interrupt too', () => {
    const machine = testMachine();
    const board = processors();
    const cpu = board.create({} as never, machine);
    const log: string[] = [];
    cpu.run(0, 100, Busy.user, () => void log.push('never'));
    cpu.interrupt(10, Busy.interrupt, () => board.reset?.(cpu));
    cpu.interrupt(10, Busy.interrupt, () => void log.push('never'));
    machine.engine.run();
    expect(log).toEqual([]);
    cpu.interrupt(10, Busy.interrupt, () => void log.push('after the reset'));
    machine.engine.run();
    expect(log).toEqual(['after the reset']);
  });
});
