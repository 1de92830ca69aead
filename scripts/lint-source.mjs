#!/usr/bin/env node
/**
 * Rules about sources that the formatter's linter cannot state. Reads every file that git would commit.
 *
 *   node scripts/lint-source.mjs
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { foreignPaths } from './lint-source/foreign-paths.mjs';
import { checkPackageSource } from './lint-source/package-source.mjs';
import { root } from './workspace.mjs';

const startedMs = Date.now();
const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
  maxBuffer: 64 * 2 ** 20,
});
const files = [...new Set(listed.split('\0'))].filter((name) => name !== '' && isFile(name)).sort();

let problems = 0;
for (const name of files) {
  const bytes = readFileSync(join(root, name));
  if (bytes.includes(0)) continue; // not a text
  const text = bytes.toString('utf8');
  const found = foreignPaths(name, text);
  if (/^packages\/[^/]+\/src\/.*\.ts$/.test(name)) found.push(...checkPackageSource(name, text));
  for (const { line, column, message } of found) {
    problems++;
    process.stdout.write(`${name}:${line}:${column} ${message}\n`);
  }
}
const seconds = ((Date.now() - startedMs) / 1000).toFixed(1);
process.stdout.write(`source lint: ${files.length} files, ${problems} problems, ${seconds} s\n`);
process.exitCode = problems === 0 ? 0 : 1;

/** @param {string} name */
function isFile(name) {
  const path = join(root, name);
  return existsSync(path) && statSync(path).isFile();
}
