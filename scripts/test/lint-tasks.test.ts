import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { findForgottenTasks } from '../lint-tasks/find.mjs';
import { createLintProgram } from '../lint-tasks/program.mjs';

const fixture = (name: string) => fileURLToPath(new URL(`./fixtures/${name}.ts`, import.meta.url));
const base = fileURLToPath(new URL('../../tsconfig.base.json', import.meta.url));
const names = ['dropped', 'mistaken', 'bodies'];
const program = createLintProgram(names.map(fixture), base);

/** The lines that say of themselves that they are wrong. */
const marked = (name: string) =>
  readFileSync(fixture(name), 'utf8')
    .split('\n')
    .flatMap((text, at) => (text.includes('// bad') ? [`${at + 1}: ${text.trim()}`] : []));

const found = (name: string) => {
  const lines = readFileSync(fixture(name), 'utf8').split('\n');
  const numbers = findForgottenTasks(program, [fixture(name)]).map(({ line }) => line);
  return [...new Set(numbers)].sort((a, b) => a - b).map((line) => `${line}: ${lines[line - 1]?.trim()}`);
};

describe('task lint', () => {
  it('finds every task that is made and dropped, and nothing else', () => {
    expect(found('dropped')).toEqual(marked('dropped'));
  });

  it('finds every task that is taken for its result, and nothing else', () => {
    expect(found('mistaken')).toEqual(marked('mistaken'));
  });

  it('finds a test whose body is a task that vitest does not run', () => {
    expect(found('bodies')).toEqual(marked('bodies'));
  });

  it('says where and how to mend it', () => {
    const [first] = findForgottenTasks(program, [fixture('dropped')]);
    expect(first).toMatchObject({ column: 3, message: 'a task is made here and never run' });
    expect(first?.hint).toContain('yield*');
  });
});
