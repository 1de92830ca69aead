import { describe, expect, it } from 'vitest';
import { Channel, Engine, type Task, Timer } from '../src/index.ts';
import { engineError } from './run.ts';

describe('a timer', () => {
  it('fires once, at its instant', () => {
    const engine = new Engine();
    const at: number[] = [];
    const timer = new Timer(engine.root, 'tick', () => at.push(engine.nowNs));
    expect(timer.armed).toBe(false);
    timer.set(7);
    expect(timer.armed).toBe(true);
    engine.run();
    expect([at, timer.armed]).toEqual([[7], false]);
    timer.setAt(20);
    engine.run();
    expect(at).toEqual([7, 20]);
  });

  it('set again has only its last instant', () => {
    const engine = new Engine();
    const at: number[] = [];
    const timer = new Timer(engine.root, 'tick', () => at.push(engine.nowNs));
    timer.set(7);
    timer.set(30);
    timer.set(12);
    engine.run();
    expect(at).toEqual([12]);
  });

  it('set again goes behind those that were set for the same instant meanwhile', () => {
    const engine = new Engine();
    const fired: string[] = [];
    const a = new Timer(engine.root, 'a', () => fired.push('a'));
    const b = new Timer(engine.root, 'b', () => fired.push('b'));
    a.set(5);
    b.set(5);
    a.set(5);
    engine.run();
    expect(fired).toEqual(['b', 'a']);
  });

  it('may set itself in its callback, or disarm another that is due at the same instant', () => {
    const engine = new Engine();
    const fired: string[] = [];
    const periodic = new Timer(engine.root, 'periodic', () => {
      fired.push(`periodic ${engine.nowNs}`);
      if (engine.nowNs < 30) periodic.set(10);
      victim.cancel();
    });
    periodic.set(10);
    const victim = new Timer(engine.root, 'victim', () => fired.push('victim'));
    victim.set(10);
    engine.run();
    expect(fired).toEqual(['periodic 10', 'periodic 20', 'periodic 30']);
  });

  it('cancelled does not fire, and can be set again', () => {
    const engine = new Engine();
    const at: number[] = [];
    const timer = new Timer(engine.root, 'tick', () => at.push(engine.nowNs));
    timer.cancel();
    timer.set(5);
    timer.cancel();
    timer.cancel();
    engine.run();
    expect([at, engine.nowNs]).toEqual([[], 0]);
    timer.set(5);
    engine.run();
    expect(at).toEqual([5]);
  });

  it('runs outside of any thread, and may do what does not block', () => {
    const engine = new Engine();
    const channel = new Channel<string>();
    const seen: string[] = [];
    engine.root.spawn(
      'receiver',
      (function* (): Task<void> {
        seen.push(`${yield* channel.receive()} at ${engine.nowNs}`);
      })(),
    );
    new Timer(engine.root, 'arrival', () => channel.send('frame')).set(100);
    engine.run();
    expect(seen).toEqual(['frame at 100']);
  });

  it('that fails stops the run, named; the run can go on', () => {
    const engine = new Engine();
    const boom = new TypeError('bad frame');
    new Timer(engine.root.child('server'), 'arrival', () => {
      throw boom;
    }).set(1);
    const error = engineError(() => engine.run());
    expect([error.code, error.message]).toEqual([
      'TIMER_FAILED',
      'timer arrival of server failed: bad frame',
    ]);
    expect(error.cause).toBe(boom);
    engine.run(9);
    expect(engine.nowNs).toBe(9);
  });

  it('costs no memory however often it is set', () => {
    const engine = new Engine();
    const timer = new Timer(engine.root, 'time-out', () => {});
    for (let i = 0; i < 1_000_000; i++) timer.set(1e9);
    engine.run();
    expect([engine.events, engine.nowNs]).toEqual([1, 1e9]);
  });
});
