#!/usr/bin/env node
/**
 * Finds kernel routines that are made and never run: a forgotten `yield*`.
 *
 *   node scripts/lint-tasks.mjs
 */
import { existsSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { findForgottenTasks } from './lint-tasks/find.mjs';
import { createLintProgram } from './lint-tasks/program.mjs';
import { root, workspacePackages } from './workspace.mjs';

const startedMs = Date.now();
const files = workspacePackages()
  .flatMap(({ path }) => ['src', 'test', 'bench'].map((part) => join(path, part)))
  .filter((path) => existsSync(path))
  .flatMap((path) =>
    readdirSync(path, { recursive: true, encoding: 'utf8' })
      .filter((name) => /(?<!\.d)\.m?ts$/.test(name))
      .map((name) => join(path, name)),
  );

const program = createLintProgram(files, join(root, 'tsconfig.base.json'));
const problems = findForgottenTasks(program, files);
for (const { file, line, column, message, hint } of problems) {
  process.stdout.write(`${relative(root, file)}:${line}:${column} ${message}\n    ${hint}\n`);
}
const seconds = ((Date.now() - startedMs) / 1000).toFixed(1);
process.stdout.write(`task lint: ${files.length} files, ${problems.length} problems, ${seconds} s\n`);
process.exitCode = problems.length === 0 ? 0 : 1;
