import { describe, expect, it } from 'vitest';
import { CLUSTER_EPOCH_SECONDS, Engine, ms, seconds, sleep, TIME_MAX_NS, Timer, us } from '../src/index.ts';
import { engineError, run } from './run.ts';

describe('time', () => {
  it('is counted in whole nanoseconds', () => {
    expect([us(1.5), ms(0.0004), ms(30), seconds(2.5), us(0.0001)]).toEqual([1500, 400, 30e6, 2.5e9, 0]);
  });

  it('begins at the epoch of the cluster', () => {
    expect(CLUSTER_EPOCH_SECONDS * 1000).toBe(Date.UTC(1988, 0, 25));
    expect(new Engine().nowNs).toBe(0);
  });

  it.each([1.5, -1, Number.NaN, Infinity, TIME_MAX_NS + 1])('refuses a delay of %d ns, with a hint', (ns) => {
    const engine = new Engine();
    const timer = new Timer(engine.root, 'tick', () => {});
    const error = engineError(() => timer.set(ns));
    expect(error.code).toBe('BAD_TIME');
    expect(error.message).toContain(String(ns));
    expect(error.hint).toMatch(ns === Infinity ? /WaitQueue/ : /Round/);
    expect(timer.armed).toBe(false);
    const inThread = engineError(() =>
      run(function* () {
        yield* sleep(ns);
      }),
    );
    expect(inThread.message).toContain('A delay of');
    expect(engineError(() => engine.run(ns === Infinity ? -1 : ns)).code).toBe('BAD_TIME');
  });

  it('goes on to an instant even when nothing happens, and never back', () => {
    const engine = new Engine();
    engine.run(ms(5));
    expect(engine.nowNs).toBe(ms(5));
    engine.run(ms(3));
    expect(engine.nowNs).toBe(ms(5));
    engine.run();
    expect(engine.nowNs).toBe(ms(5));
  });

  it('reaches its last nanosecond', () => {
    const engine = new Engine();
    let fired = false;
    const timer = new Timer(engine.root, 'last', () => {
      fired = true;
    });
    timer.setAt(TIME_MAX_NS);
    engine.run();
    expect([fired, engine.nowNs]).toEqual([true, TIME_MAX_NS]);
    expect(engineError(() => timer.set(1)).code).toBe('BAD_TIME');
  });
});
