/** `memory`: what a thread that is blocked ten marked tasks deep costs of the host's memory. */
import { Engine, Gate, type Task, task } from '@backplane/engine';
import { heapBytes } from './heap.ts';
import { type Line, timed } from './line.ts';

const threads = 100_000;
const depth = 10;

const down = /* @__PURE__ */ task(function* down(gate: Gate, levels: number): Task<void> {
  if (levels <= 1) yield* gate.pass();
  else yield* down(gate, levels - 1);
});

export function memory(): Line {
  return timed('memory', () => {
    const engine = new Engine();
    const gate = new Gate();
    const before = heapBytes();
    for (let i = 0; i < threads; i++) engine.root.spawn('blocked', down(gate, depth));
    engine.run();
    const bytes = (heapBytes() - before) / threads;
    gate.open();
    engine.run();
    return { units: threads, check: `${Math.round(bytes)} bytes a thread` };
  });
}
