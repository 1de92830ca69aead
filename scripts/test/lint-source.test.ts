import { describe, expect, it } from 'vitest';
import { foreignPaths } from '../lint-source/foreign-paths.mjs';
import { checkPackageSource } from '../lint-source/package-source.mjs';

const problems = (text: string) =>
  checkPackageSource('packages/x/src/a.ts', text).map(({ message }) => message);

describe('source lint', () => {
  it.each([
    'Math.sin(1)',
    'Math.log2(8)',
    'Math.random()',
    'const { cos } = Math;',
    "Math['pow'](2, 3)",
    '2 ** 3',
    'x **= 2',
    "export * from './a.ts';",
    "export * as a from './a.ts';",
    'async function f() {}',
    'const f = async () => 1;',
    'class A { async m() {} }',
    "import('./a.ts')",
    "'a'.localeCompare('b')",
    '(1.5).toLocaleString()',
    "import { a } from './a';",
    "import { a } from './a.js';",
  ])('refuses %s', (text) => {
    expect(problems(text)).toHaveLength(1);
  });

  it.each([
    'Math.floor(Math.sqrt(2)) + Math.imul(3, 4) * Math.PI',
    "export { a } from './a.ts';",
    "export type { A } from './a.ts';",
    "import { b } from '@backplane/engine';",
    'function* f() { yield* g(); }',
    'const text = "async 2 ** 3 Math.sin await";',
    '// Math.sin, await, **',
  ])('lets %s pass', (text) => {
    expect(problems(text)).toEqual([]);
  });

  it('says where', () => {
    expect(checkPackageSource('a.ts', 'const a = 1;\nconst b = a + Math.exp(a);')).toEqual([
      { line: 2, column: 15, message: 'Math.exp may differ between machines: the engine has exact ones' },
    ]);
  });
});

describe('paths out of the repository', () => {
  const up = ['..', 'shared', 'x.md'].join('/');

  it('are refused in code, in documents and in settings', () => {
    expect(foreignPaths('docs/a.md', `see\n  ${up}`)).toMatchObject([{ line: 2, column: 3 }]);
    expect(foreignPaths('a.ts', `/${'.'}library/x`)).toHaveLength(1);
  });

  it('are allowed in a bench folder', () => {
    expect(foreignPaths('integration/peers/bench/a.ts', up)).toEqual([]);
  });
});
