import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { backplane, Folder } from './console.ts';

const text = readFileSync(new URL('../../../docs/extending.md', import.meta.url), 'utf8');
const blocks = [...text.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(([, language = '', body = '']) => ({
  language,
  body,
}));

/** The first line of a file's block is its name. */
const files = blocks.flatMap(({ language, body }) => {
  const name = /^\/\/ (\S+)\n/.exec(body)?.[1];
  return language === 'sh' || name === undefined ? [] : [{ name, body: body.slice(body.indexOf('\n') + 1) }];
});
const commands = blocks
  .filter((b) => b.language === 'sh')
  .flatMap((b) => b.body.trim().split('\n'))
  .map((line) => line.split(' '));

describe('the guide to extending', () => {
  it('has files and commands', () => {
    expect(files.map((f) => f.name)).toEqual(
      expect.arrayContaining(['hot-spot.ts', 'write-through.ts', 'first-come.ts']),
    );
    expect(commands.length).toBeGreaterThan(10);
    for (const [npx, name] of commands) expect([npx, name]).toEqual(['npx', 'backplane']);
  });

  it('shows files that are sound and commands that work', async () => {
    using folder = new Folder();
    for (const { name, body } of files) folder.file(name, body);
    for (const [, , ...words] of commands) {
      const inside = words.map((w) => (/\.(pftrace|html)$/.test(w) ? folder.at(w) : w));
      const { code, stdout, stderr } = await backplane(inside, folder.path);
      expect(code, `${words.join(' ')}\n${stderr}`).toBe(0);
      expect(stdout).not.toBe('');
    }
    expect(folder.names).toEqual(expect.arrayContaining(['hot-spot.html', 'hot-spot.pftrace']));
  });
});
