import { fileURLToPath } from 'node:url';
import { storeFormats } from '@backplane/lab';
import { expect, it } from 'vitest';
import { formatDocs } from '../src/format-docs.ts';

it('docs/formats.md is what the layouts say (npm run docs:formats writes it anew)', async () => {
  const file = fileURLToPath(new URL('../../../docs/formats.md', import.meta.url));
  const text = formatDocs(storeFormats);
  for (const { name, layouts } of storeFormats) {
    expect(text).toContain(`## ${name}\n\n`);
    for (const l of layouts) expect(text).toContain(`### ${l.name}\n\n`);
  }
  await expect(text).toMatchFileSnapshot(file);
});
