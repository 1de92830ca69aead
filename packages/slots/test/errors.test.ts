import { describe, expect, it } from 'vitest';
import {
  assert,
  BackplaneError,
  isBackplaneError,
  isKernelError,
  KernelError,
  kernelErrorFrom,
  kernelErrorKinds,
  kernelErrorNumber,
  nearest,
} from '../src/index.ts';

describe('errors', () => {
  it('of the kernel keep their kind over a wire', () => {
    for (const kind of kernelErrorKinds)
      if (kind !== 'ok') expect(kernelErrorFrom(kernelErrorNumber(kind))).toBe(kind);
  });

  it('of the kernel with an unknown number are I/O errors', () => {
    expect([kernelErrorFrom(0), kernelErrorFrom(9999)]).toEqual(['ioError', 'ioError']);
  });

  it('are known by their brand, not by their class', () => {
    const foreign = Object.assign(new Error('x'), { backplane: 'KernelError', kind: 'stale' });
    expect(isKernelError(foreign, 'stale')).toBe(true);
    expect(isKernelError(new KernelError('stale'), 'busy')).toBe(false);
    expect(isKernelError(new BackplaneError('X', {}, 'x', 'y'))).toBe(false);
    expect(isBackplaneError(new BackplaneError('X', {}, 'x', 'y'))).toBe(true);
  });

  it('of an invariant say where and what', () => {
    expect(() => assert(false, 'channel', 'a reply while idle')).toThrowError('channel: a reply while idle');
  });

  it('name the nearest spelling, if there is one near', () => {
    const known = ['fileCache', 'transport', 'naming'];
    expect([nearest('filecahe', known), nearest('trasnport', known), nearest('disk', known)]).toEqual([
      'fileCache',
      'transport',
      undefined,
    ]);
  });
});
