import { describe, expect, it } from 'vitest';
import { backplane, Folder } from './console.ts';

const workload = `W01 a file is replaced
creat /a
append /a 5000 a
fsync /a @P
creat /b
append /b 3000 b
rename /b /a
sync
one-of: /a size=5000 byte=a | /a size=3000 byte=b
`;

/** A storage that says that files are on the disk, and has written nothing. */
const forgetful = `
import { ofsFormat, ofsStorage } from '@backplane/fs-ofs';
const board = () => {
  const made = ofsStorage();
  return {
    ...made,
    create(granted, machine) {
      const inner = made.create(granted, machine);
      return new Proxy(inner, {
        get(target, key) {
          if (key === 'sync') return function* (f) { if (f === undefined) yield* inner.sync(); };
          const member = Reflect.get(target, key, target);
          return typeof member === 'function' ? member.bind(target) : member;
        },
      });
    },
    *start(s) { yield* s.recover(); },
    halt: undefined,
  };
};
export default {
  name: 'forgetful', board, format: ofsFormat,
  promises: { names: 'each', contents: 'bytes', order: 'write', directorySync: 'nothing', damage: 'ends', reasons: [] },
};
`;

describe('backplane crash', () => {
  it('crashes a file of operations at every boundary, and counts', async () => {
    using folder = new Folder();
    const file = folder.file('replace.ops', workload);
    const example = folder.at('found.ops');
    const words = ['crash', file, '--storage', 'ofs', '--budget', '20s', '--threads', '1'];
    const { code, stdout } = await backplane([...words, '--counterexample', example, '--json']);
    const result = JSON.parse(stdout);
    expect(result).toMatchObject({ violations: 0, complete: true, counterexample: null, workloads: 1 });
    expect(result.states).toBeGreaterThan(50);
    expect(Object.keys(result.byKind)).toEqual(
      expect.arrayContaining(['prefix', 'torn', 'recovery', 'damaged', 'ioError', 'readError', 'full']),
    );
    expect(result.states).toBeGreaterThan(result.distinct);
    expect(result.distinct).toBeGreaterThan(result.mounted);
    const { parts } = result;
    expect(parts.map((p: { origin: string; extent: string }) => `${p.origin}, ${p.extent}`)).toEqual([
      'workloads, every boundary',
      'workloads, sampled',
    ]);
    for (const count of ['states', 'distinct', 'mounted'])
      expect(parts[0][count] + parts[1][count]).toBe(result[count]);
    expect(parts[0].seconds + parts[1].seconds).toBeLessThanOrEqual(result.seconds);
    expect(result.processorSeconds).toBeGreaterThan(0);
    expect(result.lyingDiskFoundAfter).toBeGreaterThan(0);
    expect(code).toBe(0);
    expect(folder.names).toEqual(['replace.ops']);
  });

  it('writes down what is wrong, made small, and shows it again', async () => {
    using folder = new Folder();
    const store = folder.file('forgetful.mjs', forgetful);
    const file = folder.file('replace.ops', workload);
    const example = folder.at('found.ops');
    const words = ['--storage', store, '--counterexample', example, '--json'];
    const first = await backplane(['crash', file, ...words, '--budget', '10s']);
    expect(first.code).toBe(1);
    expect(JSON.parse(first.stdout).violations).toBeGreaterThan(0);
    expect(first.stderr).toMatch(/crash replay .*found.ops/);
    expect(folder.names).toContain('found.ops');
    for (const again of [
      ['crash', 'replay', example],
      ['crash', example],
    ]) {
      const { code, stdout } = await backplane([...again, ...words]);
      expect(code).toBe(1);
      expect(JSON.parse(stdout)).toMatchObject({
        states: 1,
        found: expect.arrayContaining([expect.anything()]),
      });
    }
  });

  it('says with 2 that the time was over before all was done that has to be', async () => {
    using folder = new Folder();
    const { code, stdout } = await backplane([
      ...['crash', 'all', '--storage', 'ofs', '--budget', '300ms', '--threads', '1', '--json'],
      ...['--counterexample', folder.at('found.ops')],
    ]);
    expect(JSON.parse(stdout)).toMatchObject({ violations: 0, complete: false });
    expect(code).toBe(2);
  });

  it('refuses what it cannot crash, with 3 and a hint', async () => {
    using folder = new Folder();
    const locks = folder.file('locks.ops', 'creat /a\nopen h /a write\nlock h shared\n');
    const crashes = folder.file('crashes.ops', 'creat /a\ncrash server\n');
    const two = folder.file('two.ops', 'creat /a\nc2: append /a 1 b\n');
    const cases: readonly (readonly [readonly string[], RegExp])[] = [
      [['crash', 'all', '--storage', 'ofss'], /no storage "ofss".*\n.*--storage ofs/],
      [['crash', 'replace-by-renam', '--storage', 'ofs'], /no workload.*\n.*"replace-by-rename"/],
      [['crash', locks, '--storage', 'ofs'], /locks.ops:3: locks are of an open file/],
      [['crash', crashes, '--storage', 'ofs'], /crashes.ops:2: crash needs machines/],
      [['crash', two, '--storage', 'ofs'], /two.ops:2: c2.p1 is a second process/],
      [['crash', locks, '--storage', 'ofs', '--budget', 'soon'], /locks.ops:3|--budget takes a duration/],
      [['crash', 'replay', '--storage', 'ofs'], /replay needs the file/],
      [['crash', 'all'], /--storage/],
    ];
    for (const [words, message] of cases) {
      const { code, stdout, stderr } = await backplane(words);
      expect([words, code, stdout]).toEqual([words, 3, '']);
      expect(stderr).toMatch(message);
    }
  });
});
