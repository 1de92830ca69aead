/** What goes from kernel to kernel of a process that moves. */
import { KernelError, type MovingProcess, type NumberTable, type Work } from '@backplane/slots';
import { ByteReader, ByteWriter } from '@backplane/wire';
import { Descriptor } from './descriptor.ts';

interface Continuation {
  readonly descriptor: Descriptor;
  readonly moving: MovingProcess;
  /** Processor time that its thread owes. */
  readonly work: Work | null;
}

const stateBytesMax = 1 << 20;
const nameBytesMax = 255;

export const departing = (number: number, d: Descriptor, ipc: Uint8Array): Uint8Array =>
  new ByteWriter().u32(number).string(d.name).i32(d.priority).u32(d.argument).opaque(ipc).finish();

/** @throws KernelError `badArgument` */
export function arriving(
  state: Uint8Array,
  continuations: NumberTable<unknown>,
): {
  readonly continuation: {
    readonly number: number;
    readonly descriptor: Descriptor;
    readonly work: Work | null;
  };
  readonly moving: Uint8Array;
} {
  const from = new ByteReader(state);
  const number = from.u32();
  const name = from.string(nameBytesMax);
  from.i32();
  from.u32();
  const moving = from.opaque(stateBytesMax);
  const found = continuations.find(number);
  if (from.failed || !isContinuation(found) || found.descriptor.name !== name)
    throw new KernelError('badArgument', 'the state of a process');
  return { continuation: { number, descriptor: found.descriptor, work: found.work }, moving };
}

const isContinuation = (x: unknown): x is Continuation =>
  typeof x === 'object' && x !== null && 'descriptor' in x && x.descriptor instanceof Descriptor;
