/** `idle`: what a machine that has booted and has nothing to do costs of the host's memory, and in events. */
import { seconds, sleep, type Task } from '@backplane/engine';
import { defineExperiment, type PreparedRun, prepare } from '@backplane/lab';
import { heapBytes } from './heap.ts';
import { type Line, timed } from './line.ts';

const clients = 50;
const virtualSeconds = 100;

const nothing = /* @__PURE__ */ defineExperiment({
  name: 'nothing',
  description: 'machines that have booted',
  parameterTexts: [],
  parameters: () => null,
  shape: () => ({
    clients,
    servers: 1,
    machineTypes: { client: 'sun3-75', server: 'sun3-180' },
    prefixes: [['/']],
  }),
  *run(): Task<null> {
    yield* sleep(seconds(2 * virtualSeconds));
    return null;
  },
  measures: () => ({}),
  table: () => ({ title: 'nothing', head: [], rows: [] }),
});

function booted(): PreparedRun<null> {
  const run = prepare(nothing, {});
  run.advance(seconds(virtualSeconds));
  return run;
}

export function idle(): Line {
  return timed('idle', () => {
    const machines = clients + 1;
    // What is loaded and compiled once is no machine's. Kept, so that its end does not count as memory won.
    const first = booted();
    const before = heapBytes();
    const run = booted();
    const kilobytes = (heapBytes() - before) / 1024 / machines;
    if (first.ended) throw new Error('idle: the first run has ended');
    const eventsBefore = run.cluster.engine.events;
    run.advance(seconds(virtualSeconds) - 1);
    const events = (run.cluster.engine.events - eventsBefore) / virtualSeconds / machines;
    return {
      units: machines,
      check: `${kilobytes.toFixed(0)} KB and ${events.toFixed(2)} events a virtual second, each machine`,
    };
  });
}
