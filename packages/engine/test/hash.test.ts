import { describe, expect, it } from 'vitest';
import { EventLog } from '../src/event-log.ts';
import { Engine, type EngineEvent, sleep, type Task, Timer, task } from '../src/index.ts';

const body = task(function* body(steps: readonly number[]): Task<void> {
  for (const ns of steps) yield* sleep(ns);
});

function play(seed: number, plan: readonly (readonly [string, readonly number[]])[], tickNs: number): Engine {
  const engine = new Engine({ seed });
  for (const [name, steps] of plan) engine.root.child(name).spawn('thread', body(steps));
  new Timer(engine.root, 'tick', () => {}).set(tickNs);
  engine.run();
  return engine;
}

const plan = [
  ['a', [5, 10]],
  ['b', [7, 3]],
] as const;

describe('the hash of the event log', () => {
  it('has 64 hexadecimal digits, and is the same for the same events, whatever the seed', () => {
    const hash = play(0, plan, 8).traceHash();
    expect(hash).toMatch(/^[0-9a-f]{64}$/);
    expect(play(0, plan, 8).traceHash()).toBe(hash);
    expect(play(12345, plan, 8).traceHash()).toBe(hash);
  });

  it('is pinned: other digits mean other events on the same program', () => {
    expect(play(0, plan, 8).traceHash()).toBe(
      '6d856ab52020434357bfcd4ec768a66db4908cd124a977bb3ab2f5893048d1bd',
    );
  });

  it('differs when an instant, an order, a scope or an entry differs', () => {
    const hashes = [
      play(0, plan, 8),
      play(0, plan, 9),
      play(0, plan, 8 + 2 ** 40),
      play(0, [plan[1], plan[0]], 8),
      play(0, [...plan, ['c', []]], 8),
      play(
        0,
        [
          ['a', [5, 10]],
          ['b', [7, 3, 0]],
        ],
        8,
      ),
    ].map((engine) => engine.traceHash());
    expect(new Set(hashes).size).toBe(hashes.length);
  });

  it('changes in every lane with every bit of every field', () => {
    const lanes = (timeNs: number, scopeId: number, kind: number, id: number, more: number): string => {
      const log = new EventLog();
      log.fold(timeNs, scopeId, kind, id);
      for (let i = 0; i < more; i++) log.fold(i, 1, 0, 1);
      return log.digest(0);
    };
    const seen = new Set<string>();
    let count = 0;
    const note = (digest: string): void => {
      seen.add(digest);
      count++;
    };
    for (const more of [0, 3]) {
      note(lanes(0, 0, 0, 0, more));
      for (let bit = 0; bit < 53; bit++) note(lanes(2 ** bit, 0, 0, 0, more));
      for (let bit = 0; bit < 31; bit++) note(lanes(0, 2 ** bit, 0, 0, more));
      for (let bit = 0; bit < 31; bit++) note(lanes(0, 0, 0, 2 ** bit, more));
      note(lanes(0, 0, 1, 0, more));
    }
    expect(seen.size).toBe(count);
  });

  it('can be asked at any time, and asking changes nothing', () => {
    const engine = new Engine();
    engine.root.spawn('t', body([5, 5]));
    const hashes = [0, 5, 7, 20].map((untilNs) => {
      engine.run(untilNs);
      return engine.traceHash();
    });
    expect(new Set(hashes).size).toBe(3); // nothing happens between 5 and 7
    expect(hashes[1]).toBe(hashes[2]);
    const whole = new Engine();
    whole.root.spawn('t', body([5, 5]));
    whole.run();
    expect(hashes[3]).toBe(whole.traceHash());
  });
});

describe('the engine', () => {
  it('shows every event to who watches, and counts it', () => {
    const engine = new Engine();
    const events: EngineEvent[] = [];
    engine.watchEvents((e) => events.push(e));
    engine.root.child('client').spawn('reader', body([5]));
    new Timer(engine.root, 'tick', () => engine.watchEvents(null)).set(5);
    engine.run();
    expect(events).toEqual([
      { timeNs: 0, scopeName: 'client', scopeId: 1, kind: 'thread', name: 'reader', id: 0 },
      { timeNs: 5, scopeName: 'root', scopeId: 0, kind: 'timer', name: 'tick', id: 1 },
    ]);
    expect(engine.events).toBe(3);
  });

  it('stops after the event in which it is told to, and goes on when it is run again', () => {
    const engine = new Engine();
    const fired: number[] = [];
    for (const ns of [5, 5, 9]) {
      new Timer(engine.root, 'tick', () => {
        fired.push(engine.nowNs);
        engine.stop();
      }).set(ns);
    }
    engine.run(100);
    expect([fired, engine.nowNs]).toEqual([[5], 5]);
    engine.run(7);
    expect([fired, engine.nowNs]).toEqual([[5, 5], 5]);
    engine.run();
    engine.run(100);
    expect([fired, engine.nowNs]).toEqual([[5, 5, 9], 100]);
  });

  it('runs all that is due at the last instant, and nothing after it', () => {
    const engine = new Engine();
    const fired: number[] = [];
    for (const ns of [5, 10, 11]) new Timer(engine.root, 'tick', () => fired.push(ns)).set(ns);
    engine.run(10);
    expect([fired, engine.nowNs]).toEqual([[5, 10], 10]);
  });

  it('may be run within another', () => {
    const outer = new Engine();
    const seen: string[] = [];
    outer.root.spawn(
      'outer',
      (function* (): Task<void> {
        const inner = new Engine();
        inner.root.spawn('inner', body([100]));
        inner.run();
        seen.push(`inner ${inner.nowNs}`);
        yield* sleep(5);
        seen.push(`outer ${outer.nowNs}`);
      })(),
    );
    outer.run();
    expect(seen).toEqual(['inner 100', 'outer 5']);
  });
});
