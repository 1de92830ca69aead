import { seconds, sleep } from '@backplane/engine';
import { kernelServers } from '@backplane/kernel-servers-v';
import { type Kernel, wellKnown } from '@backplane/slots';
import { timeSync } from '@backplane/time-sync-v';
import { vWorkstation } from '@backplane/v';
import { ask, getTime } from '@backplane/v-operations';
import { describe, expect, it } from 'vitest';
import { World } from './world.ts';

const names = ['mace', 'thyme', 'sage', 'basil'];

/** Milliseconds between the first and the last clock, after so many seconds. */
function spread(
  clocks: readonly (readonly [skewMs: number, driftPpm: number])[],
  synchronised: boolean,
  after: number,
) {
  const kernels: Kernel[] = clocks.map(([clockSkewMs, clockDriftPpm]) =>
    vWorkstation()
      .without('fileCache')
      .without('systemCalls')
      .with({
        servers: {
          kernel: kernelServers({ clockSkewMs, clockDriftPpm }),
          ...(synchronised && { clocks: timeSync() }),
        },
      }),
  );
  const w = new World({ server: null, workstations: names, kernels });
  const times = w.run(function* () {
    yield* sleep(seconds(after));
    const times: number[] = [];
    const read = w.cluster.engine.nowNs;
    for (const name of names)
      times.push(
        yield* w.on(name, function* (self) {
          const { nowNs } = yield* ask(
            self,
            w.group(name, wellKnown.timeServers),
            getTime,
            {},
            { beside: self.id },
          );
          return nowNs - (w.cluster.engine.nowNs - read);
        }),
      );
    return times;
  });
  return (Math.max(...times) - Math.min(...times)) / 1e6;
}

describe('clocks of several hosts', () => {
  const apart = [
    [0, 0],
    [250, 50],
    [-400, -80],
    [900, 20],
  ] as const;

  it('stay apart, and drift, when nobody keeps them together', () => {
    expect(spread(apart, false, 600)).toBeGreaterThan(1300);
  });

  it('come together and stay so when each tells its time', () => {
    expect(spread(apart, true, 600)).toBeLessThan(5);
  });

  it('are set at once when they are far apart', () => {
    expect(
      spread(
        [
          [0, 0],
          [3_600_000, 0],
          [0, 0],
          [0, 0],
        ],
        true,
        300,
      ),
    ).toBeLessThan(1000);
  });
});
