/** For the tests of one board: a machine, a memory, and what checks compare. For several boards there is the chassis. */

export { ArrayMemory, type ArrayMemoryOptions } from './testing/array-memory.ts';
export { kindOf, pattern, sameBytes } from './testing/checks.ts';
export { EntityNet, type EntityNetOptions } from './testing/entity-net.ts';
export { EntityPort } from './testing/entity-port.ts';
export { claims, Frames, holder } from './testing/frames.ts';
export { KeptBlocks } from './testing/kept-blocks.ts';
export { type Carried, faulty, forged, type Judge, Link, LinkNic } from './testing/link.ts';
export type { TestMachine, TestMachineOptions } from './testing/machine.ts';
export { testMachine } from './testing/machine.ts';
export { OneProcessor } from './testing/one-processor.ts';
export { BareProcessors } from './testing/processors.ts';
