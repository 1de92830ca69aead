import { seconds, type Task } from '@backplane/engine';
import { entityId } from '@backplane/slots';
import { testMachine } from '@backplane/slots/testing';
import { type ProgramLevel, priorityOf } from '@backplane/v-operations';
import { describe, expect, it } from 'vitest';
import { Program } from '../src/program.ts';
import { restingPriority, Slicer } from '../src/slicer.ts';

function world() {
  const { engine, scope } = testMachine();
  const programs = new Map<string, Program>();
  const priorities = new Map<number, number>();
  /** Spaces in the order in which they got their turn. */
  const turns: number[] = [];
  const kernel = {
    *setPriority(space: number, priority: number): Task<void> {
      priorities.set(space, priority);
      if (priority !== restingPriority('foreground')) turns.push(space);
    },
  };
  const slicer = new Slicer(kernel, programs, scope, seconds(1));
  const add = (space: number, level: ProgramLevel = 'foreground'): Program => {
    const root = entityId(String(space).padStart(16, '0'));
    const program = new Program({ root, space, name: `p${space}`, owner: root, level });
    programs.set(root, program);
    slicer.look();
    return program;
  };
  const remove = ({ root }: Program): void => {
    programs.delete(root);
    slicer.look();
  };
  return {
    add,
    remove,
    turns,
    priorities,
    after: (s: number): void => engine.run(engine.nowNs + seconds(s)),
  };
}

describe('time among programs of a level', () => {
  it('goes round', () => {
    const w = world();
    for (const space of [1, 2, 3]) w.add(space);
    w.after(6.5);
    expect(w.turns).toEqual([1, 2, 3, 1, 2, 3]);
    expect(w.priorities.get(3)).toBe(priorityOf('foreground', 0));
    expect(w.priorities.get(2)).toBe(restingPriority('foreground'));
  });

  it('is nobody else’s affair: with one program in each nothing is done', () => {
    const w = world();
    w.add(1);
    w.add(2, 'background');
    w.after(10);
    expect(w.turns).toEqual([]);
  });

  it('goes on when one leaves, or is suspended', () => {
    const w = world();
    const [a, b] = [w.add(1), w.add(2)];
    w.add(3);
    w.after(1.5);
    w.remove(a);
    b.suspended = true;
    w.after(5);
    expect(w.turns).toEqual([1]);
  });
});
