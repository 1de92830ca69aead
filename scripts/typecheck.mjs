#!/usr/bin/env node
/**
 * Type-checks every project with the native compiler, two at a time. A package is checked twice: its sources and tests
 * together, and its sources alone (tests bring Node's types along, which would hide that a source file leans on them).
 *
 * Usage: node scripts/typecheck.mjs [folder ...]     e.g. packages/engine; everything when none is given
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { root, runLimited, workspacePackages } from './workspace.mjs';

const compiler = join(root, 'node_modules/typescript7/bin/tsc');
const wanted = process.argv.slice(2).map((folder) => folder.replace(/\/+$/, ''));

const projects = wanted.length === 0 ? ['tsconfig.json', 'scripts/tsconfig.json'] : [];
for (const { folder } of workspacePackages()) {
  if (wanted.length > 0 && !wanted.includes(folder)) continue;
  for (const file of ['tsconfig.build.json', 'tsconfig.json']) {
    if (existsSync(join(root, folder, file))) projects.push(`${folder}/${file}`);
  }
}

if (projects.length === 0) {
  process.stderr.write(`no project in ${wanted.join(', ')}\n`);
  process.exit(1);
}

const startedMs = Date.now();
const results = await runLimited(
  projects.map((project) => () => check(project)),
  2,
);

let failed = 0;
const seen = new Set();
for (const { project, code, output } of results) {
  if (code === 0) continue;
  failed++;
  const lines = output.split('\n').filter((line) => line !== '' && !seen.has(line));
  for (const line of lines) seen.add(line);
  process.stdout.write(`\n${project}: exit ${code}\n${lines.map((line) => `${line}\n`).join('')}`);
}
const seconds = ((Date.now() - startedMs) / 1000).toFixed(1);
process.stdout.write(`type check: ${projects.length} projects, ${failed} failed, ${seconds} s\n`);
process.exitCode = failed === 0 ? 0 : 1;

/**
 * @param {string} project
 * @returns {Promise<{ project: string, code: number, output: string }>}
 */
function check(project) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [compiler, '-p', project, '--noEmit', '--pretty', 'false'], {
      cwd: root,
    });
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
    });
    child.stderr.on('data', (chunk) => {
      output += chunk;
    });
    child.on('error', (error) => resolve({ project, code: -1, output: String(error) }));
    child.on('close', (code, signal) => {
      resolve({ project, code: code ?? -1, output: signal ? `${output}ended by ${signal}\n` : output });
    });
  });
}
