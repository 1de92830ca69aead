/** How the runtime compiles what a run executes. */
import { setFlagsFromString } from 'node:v8';

/**
 * A kernel is a great deal of code of which no part runs for long: most runs are over before the runtime has optimised it.
 * Compiled plainly at once, and inlined less when it is optimised, the first Andrew of a process ends a tenth sooner, and
 * what runs for longer is not slower. Loops of a few functions would be: the engine's own benchmarks do without.
 *
 * Holds for the process, from the first run on.
 */
export function compileForKernels(): void {
  for (const flag of ['--always-sparkplug', '--max-inlined-bytecode-size-cumulative=200'])
    setFlagsFromString(flag);
}
