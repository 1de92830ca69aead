import { CLUSTER_EPOCH_SECONDS, Engine, seconds } from '@backplane/engine';
import { describe, expect, it } from 'vitest';
import { Clock } from '../src/clock.ts';

const epochNs = seconds(CLUSTER_EPOCH_SECONDS);

function world(skewNs = 0, driftPpm = 0) {
  const engine = new Engine();
  const clock = new Clock(engine, skewNs, driftPpm);
  return {
    clock,
    after: (s: number): void => engine.run(engine.nowNs + seconds(s)),
    now: () => engine.nowNs,
  };
}

describe('a clock', () => {
  it('shows the time, as wrong as it was set and as it runs', () => {
    const { clock, after } = world(seconds(2), 100);
    expect(clock.nowNs).toBe(epochNs + seconds(2));
    after(10_000);
    expect(clock.nowNs).toBe(epochNs + seconds(10_003));
  });

  it('is set', () => {
    const { clock, after } = world();
    after(5);
    clock.nowNs = epochNs + seconds(100);
    after(5);
    expect(clock.nowNs).toBe(epochNs + seconds(105));
  });

  it('loses what it is told to lose little by little, and never goes back', () => {
    const { clock, after } = world();
    clock.slew(-seconds(1));
    let last = clock.nowNs;
    for (let i = 0; i < 30; i++) {
      after(1);
      expect(clock.nowNs).toBeGreaterThan(last);
      last = clock.nowNs;
    }
    expect(last).toBe(epochNs + seconds(29));
  });

  it('drops what is left of a correction when another one begins', () => {
    const { clock, after } = world();
    clock.slew(seconds(1));
    after(10);
    const half = clock.nowNs - epochNs - seconds(10);
    expect(half).toBe(seconds(0.5));
    clock.slew(0);
    after(10);
    expect(clock.nowNs - epochNs - seconds(20)).toBe(half);
  });
});
