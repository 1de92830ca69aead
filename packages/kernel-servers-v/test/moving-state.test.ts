import { KernelError, NumberTable } from '@backplane/slots';
import { describe, expect, it } from 'vitest';
import { arriving } from '../src/moving-state.ts';

describe('the state of a process that arrives', () => {
  it('is refused when it is cut off, or names no continuation', () => {
    const continuations = new NumberTable<unknown>();
    continuations.add('something else');
    for (const bytes of [
      [],
      [0, 0, 0, 1],
      [0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
      [9, 9, 9],
    ])
      expect(() => arriving(Uint8Array.from(bytes), continuations)).toThrow(KernelError);
  });
});
