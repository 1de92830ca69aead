import { entityId, KernelError } from '@backplane/slots';
import { describe, expect, it } from 'vitest';
import { decodeEnvironment, type Environment, encodeEnvironment } from '../src/environment.ts';
import { processNumber } from '../src/process-number.ts';

const manager = entityId('000063f924080031');
const environment: Environment = {
  name: 'cc',
  workingDirectory: '/src',
  umask: 0o022,
  who: { uid: 7, gid: 8, groups: [9, 10] },
  open: [
    {
      fd: 3,
      kind: 'file',
      manager,
      instance: 12,
      how: { read: true, write: true, mode: 0o666 },
      offset: 2 ** 33,
      prefix: '/src',
      file: { domain: 1, number: 2, generation: 3 },
    },
    {
      fd: 5,
      kind: 'pipe',
      manager,
      instance: 13,
      how: { write: true, mode: 0o666 },
      offset: 0,
      prefix: '/',
      file: { domain: 0, number: 0, generation: 0 },
    },
  ],
};

describe('the environment of a program', () => {
  it('is read as it was written', () => {
    expect(decodeEnvironment(encodeEnvironment(environment))).toEqual(environment);
    expect(decodeEnvironment(encodeEnvironment({ ...environment, open: [] })).open).toEqual([]);
  });

  it('is as long whatever the instances are: it is written twice', () => {
    const other = environment.open.map((o) => ({
      ...o,
      instance: 0xffff_ffff,
      manager: entityId('f'.repeat(16)),
    }));
    expect(encodeEnvironment({ ...environment, open: other }).length).toBe(
      encodeEnvironment(environment).length,
    );
  });

  it('is refused when it is cut off, wherever', () => {
    const whole = encodeEnvironment(environment);
    for (let count = 0; count < whole.length; count++)
      expect(() => decodeEnvironment(whole.subarray(0, count)), String(count)).toThrow(KernelError);
  });
});

describe('the number of a process', () => {
  it('differs by creator and by host', () => {
    const numbers = ['0000100024080031', '0000100124080031', '0000100024080032'].map((e) =>
      processNumber(entityId(e)),
    );
    expect(new Set(numbers).size).toBe(3);
    expect(numbers.every((n) => Number.isSafeInteger(n) && n > 0)).toBe(true);
  });
});
