/** Machine types, by what they were. */
import type { MachineType } from '@backplane/slots';
import { microvax2 } from './microvax.ts';
import { modern, zeroCost } from './others.ts';
import { decstation3100, sparcstation1, sun4x260, sun4x280 } from './sparc.ts';
import { sun3x75, sun3x180 } from './sun3.ts';

export { decstation3100, microvax2, modern, sparcstation1, sun3x75, sun3x180, sun4x260, sun4x280, zeroCost };

/** All of them, for lists and for looking one up by name. */
export const machineTypes: readonly MachineType[] = [
  sun3x75,
  sun3x180,
  sparcstation1,
  decstation3100,
  sun4x260,
  sun4x280,
  microvax2,
  modern,
  zeroCost,
];
