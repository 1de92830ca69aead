import { expect, it } from 'vitest';
import { examplesOf } from './examples.ts';

const fence = '`'.repeat(3);

it('takes the blocks fenced as ts, and the lines on which they start', () => {
  const readme = `# A\n\n${fence}ts\nconst a = 1;\n${fence}\n\ntext\n\n${fence}typescript\nlet b;\nb = 2;\n${fence}\n`;
  expect(examplesOf(readme)).toEqual([
    { line: 4, text: 'const a = 1;\n' },
    { line: 10, text: 'let b;\nb = 2;\n' },
  ]);
});

it('leaves out other languages and blocks that say ignore', () => {
  const readme = `${fence}sh\nls\n${fence}\n${fence}ts ignore\nconst = ;\n${fence}\n${fence}\nplain\n${fence}\n`;
  expect(examplesOf(readme)).toEqual([]);
});

it('does not take a fence inside a longer fence for its own', () => {
  const readme = `${fence}${'`'}md\n${fence}ts\nnot a program\n${fence}\n${fence}${'`'}\n`;
  expect(examplesOf(readme)).toEqual([]);
});

it('drops a block that never ends', () => {
  expect(examplesOf(`${fence}ts\nconst a = 1;\n`)).toEqual([]);
});
