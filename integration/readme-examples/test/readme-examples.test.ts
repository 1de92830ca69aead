import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { examplesOf } from './examples.ts';
import { publishedPackages } from './published-packages.ts';

const spoken = ['log', 'info', 'warn', 'error', 'debug'] as const;

for (const { folder, path, importable, readme } of publishedPackages()) {
  describe(`${folder}/README.md`, () => {
    const examples = examplesOf(readme ?? '');

    it('exists', () => {
      expect(readme, `${folder} has no README.md`).toBeDefined();
    });

    // A package that is only a command has examples for a shell.
    it.runIf(importable)('shows the package at work', () => {
      expect(examples.length, `${folder}/README.md has no \`\`\`ts example`).toBeGreaterThan(0);
    });

    // The programs lie inside the package, so that their imports resolve as they do for the package's user, in a folder
    // that another run in the same checkout does not share.
    const programsPath = join(path, `.readme-${process.pid}`);
    let spies: ReturnType<typeof vi.spyOn>[] = [];

    beforeAll(() => mkdirSync(programsPath, { recursive: true }));
    afterAll(() => rmSync(programsPath, { recursive: true, force: true }));
    beforeEach(() => {
      spies = spoken.map((name) => vi.spyOn(console, name));
    });
    afterEach(() => vi.restoreAllMocks());

    for (const [at, { line, text }] of examples.entries()) {
      it(`example ${at + 1}, at line ${line}, runs and prints nothing`, async () => {
        const file = join(programsPath, `example-${at + 1}.ts`);
        // As many empty lines as the README has before the example: an error then names the README's line.
        writeFileSync(file, '\n'.repeat(line - 1) + text);
        await import(/* @vite-ignore */ pathToFileURL(file).href);
        for (const spy of spies) expect(spy).not.toHaveBeenCalled();
      });
    }
  });
}

it('finds the packages of this repository', () => {
  expect(publishedPackages().map(({ folder }) => folder)).toEqual(
    expect.arrayContaining(['packages/engine', 'packages/slots', 'packages/wire']),
  );
});
