import { describe, expect, it } from 'vitest';
import type { ReplayResult } from '../src/experiments/replay.ts';
import { experiment, runExperiment } from '../src/index.ts';
import { parseOperations } from '../src/operations/parse.ts';

const file = new URL('operations/every-operation.ops', import.meta.url).pathname;
const run = (): ReplayResult =>
  runExperiment(experiment('replay'), { parameters: { ops: file } }).result as ReplayResult;

describe('an operation file', () => {
  const { operations, conditions } = run();
  const at = (line: number) => operations.filter((o) => o.line === line);

  it('is carried out in the order of its lines', () => {
    expect(operations.map((o) => o.line)).toEqual([...operations.map((o) => o.line)].sort((a, b) => a - b));
    for (const o of operations) expect(o.end).toBeGreaterThanOrEqual(o.start);
  });

  it('gives runs for reads, counts for writes, attributes for stat, names for readdir', () => {
    expect(at(7)[0]?.value).toEqual({ length: 20, runs: '6a14b' });
    expect(at(5)[0]?.value).toBe(4096);
    const [followed, link] = at(13);
    expect(followed?.value).toMatchObject({ type: 'file', mode: '600', nlink: 2, size: 4100 });
    expect(link?.value).toMatchObject({ type: 'symlink' });
    expect(at(14)[0]?.value).toEqual(['baz', 'foo', 'soft']);
  });

  it('gives errors their POSIX names', () => {
    const errors = operations.filter((o) => !o.ok).map((o) => [o.line, o.error]);
    expect(errors).toEqual([
      [47, 'EACCES'],
      [54, 'EOPNOTSUPP'],
      [55, 'EOPNOTSUPP'],
      [59, 'ENXIO'],
      [62, 'ENOENT'],
    ]);
  });

  it('checks its conditions at the end, each workload on an empty file system', () => {
    expect(conditions.filter((c) => !c.ok)).toEqual([]);
    expect(conditions).toHaveLength(3);
  });

  it('runs the same way twice', () => {
    const twice = [1, 2].map(
      () => runExperiment(experiment('replay'), { parameters: { ops: file } }).traceHash,
    );
    expect(twice[0]).toBe(twice[1]);
  });
});

describe('a malformed operation file', () => {
  const wrong = (text: string): { readonly message: string; readonly hint: string } => {
    try {
      parseOperations(text, 'x.ops');
    } catch (e) {
      return e as { readonly message: string; readonly hint: string };
    }
    throw new Error('it was accepted');
  };

  it('is refused with its line, what is wrong, and the nearest spelling', () => {
    expect(wrong('mkdir /a\nmkdri /b')).toMatchObject({
      message: 'x.ops:2: there is no operation "mkdri".',
      hint: 'Did you mean "mkdir"?',
    });
    expect(wrong('write /a x 5 a').message).toBe('x.ops:1: the offset is a whole number, not "x".');
    expect(wrong('write /a 0 5').message).toBe('x.ops:1: the byte is missing.');
    expect(wrong('stat /a /b').message).toBe('x.ops:1: "/b" is one word too many.');
    expect(wrong('open h /a read,wirte').message).toMatch(/no flag of open/);
    expect(wrong('must: /a').message).toMatch(/nothing is said about/);
  });
});
