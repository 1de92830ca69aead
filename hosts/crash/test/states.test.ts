import { describe, expect, it } from 'vitest';
import { formatCase, parseCase } from '../src/counterexample.ts';
import type { CrashWorkload } from '../src/operation.ts';
import { Probe } from '../src/probe.ts';
import { readWorkloads } from '../src/shipped.ts';
import { CrashStates } from '../src/states.ts';
import { defineStore } from '../src/store.ts';
import { ofs } from '../src/stores.ts';
import { Tester } from '../src/tester.ts';

const workloadOf = (text: string): CrashWorkload => {
  const [w] = readWorkloads(text, 'test.ops');
  if (w === undefined) throw new Error('no workload');
  return w;
};

const append = workloadOf(
  'creat /a\nappend /a 6000 a\nfsync /a @P\nappend /a 6000 b\nsync\nmust 1: exists /a\n',
);

describe('crash states', () => {
  it('are one at the beginning, and one for each write and each beginning and end of an operation', () => {
    const recording = new Tester(ofs, 'short').record(append);
    const specs = [...new CrashStates(recording, 1).prefixes()].map((s) => s.spec);
    expect(recording.violations).toEqual([]);
    expect(specs.at(-1)?.writes).toBe(recording.writes);
    expect(new Set(specs.map((s) => s.writes)).size).toBe(recording.writes + 1);
    expect(specs).toHaveLength(1 + recording.writes + 2 * append.operations.length);
  });

  it('have every subset of the sectors of a short write, and of the writes that no barrier has come after', () => {
    const barriers = defineStore({ ...ofs, promises: { ...ofs.promises, order: 'barrier' } });
    const recording = new Tester(barriers, 'short').record(append);
    const states = new CrashStates(recording, 1);
    const lost = new Set(
      [...states.reordered({ samples: 1, exhaustive: 12 })].map(({ spec }) => `${spec.writes}:${spec.lost}`),
    );
    let windows = 0;
    let waiting = 0;
    for (const e of [...recording.journal.events, { event: 'barrier' } as const]) {
      if (e.event === 'write') waiting++;
      if (e.event !== 'barrier') continue;
      windows += waiting > 0 ? 2 ** waiting - 1 : 0;
      waiting = 0;
    }
    expect(lost.size).toBe(windows);
  });

  it('are made again from their description', () => {
    const tester = new Tester(ofs, 'short');
    const recording = tester.record(append);
    const states = new CrashStates(recording, 3);
    for (const list of [states.prefixes(), states.torn(3)])
      for (const { spec, image } of list) expect(states.again(spec).key).toBe(image.key);
  });

  it('come back from the file of a counterexample', () => {
    const spec = { kind: 'torn', writes: 3, sectors: [1, 2], moment: { done: 2, underWay: true } } as const;
    const text = formatCase('ofs', { workload: append, size: 'short', spec, violations: [] });
    const back = parseCase(text, 'test.ops');
    expect(back).toMatchObject({ storage: 'ofs', size: 'short', spec });
    expect(back?.workload.operations).toEqual(append.operations);
    expect(back?.workload.points).toEqual(append.points);
    expect(parseCase('creat /a\n', 'test.ops')).toBeNull();
    expect(() => parseCase('# crash-state {"kind":"torn"}\ncreat /a\n', 'test.ops')).toThrow(
      /cannot be used/,
    );
  });

  it('of a condition that is wrong are found, in every state after its persistence point', () => {
    const wrong = workloadOf('creat /a\nfsync /a @P\nappend /a 10 x\nsync\nmust 1: absent /a\n');
    const probe = new Probe(new Tester(ofs, 'short'), 'short', Number.POSITIVE_INFINITY);
    probe.test(wrong, ['prefix'], { samples: 1, seed: 1 });
    expect(probe.tally.wrong['condition']).toBe(probe.tally.violations);
    expect(probe.tally.violations).toBeGreaterThan(3);
  });
});
