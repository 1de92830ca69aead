#!/usr/bin/env node
import { existsSync } from 'node:fs';

// A reader that has seen enough (`| head`) is no failure; what else was asked for, such as a report, is still made.
process.stdout.on('error', (e) => {
  if (e.code !== 'EPIPE') throw e;
});

const main = new URL('../dist/main.js', import.meta.url);
if (existsSync(main)) {
  const { main: run } = await import(main.href);
  process.exitCode = await run(process.argv.slice(2));
} else {
  process.stderr.write('backplane: this checkout has not been built yet.\nTry: npm run build\n');
  process.exitCode = 3;
}
