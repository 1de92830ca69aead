#!/usr/bin/env node
/**
 * Looks at every publishable package as its user gets it: packs it once, then asks publint (strict) and
 * arethetypeswrong (ESM only) about the tarball, and our own rules about the folder. Build first.
 *
 *   node scripts/check-packages.mjs [folder ...]     e.g. packages/engine; everything when none is given
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { houseRules } from './check-packages/house-rules.mjs';
import { root, workspacePackages } from './workspace.mjs';

/** How a CommonJS program, or one of the time before `exports`, would see the types: we ship ESM only. */
const ignoredResolutions = new Set(['node10', 'node16-cjs']);

const startedMs = Date.now();
const wanted = process.argv.slice(2).map((folder) => folder.replace(/\/+$/, ''));
const all = workspacePackages();
const chosen = all.filter(({ folder }) => wanted.length === 0 || wanted.includes(folder));
if (chosen.length === 0) throw new Error(`no package in ${wanted.join(', ')}`);
const publishable = chosen.filter(({ manifest }) => manifest.private !== true);

let problems = 0;
for (const one of chosen) report(one.folder, houseRules(one, all));

const built = publishable.filter(({ folder, path }) => {
  if (existsSync(join(path, 'dist/index.js'))) return true;
  report(folder, ['not built: run npm run build']);
  return false;
});
const tarballs = mkdtempSync(join(tmpdir(), 'backplane-pack-'));
try {
  const files = built.length === 0 ? new Map() : pack(built.map(({ manifest }) => manifest.name));
  for (const { folder, manifest } of built) {
    const tarball = readFileSync(join(tarballs, files.get(manifest.name)));
    report(folder, await askPublint(manifest, tarball));
    report(folder, await askAttw(tarball));
  }
} finally {
  rmSync(tarballs, { recursive: true, force: true });
}

const seconds = ((Date.now() - startedMs) / 1000).toFixed(1);
process.stdout.write(
  `package check: ${chosen.length} packages, ${built.length} packed, ${problems} problems, ${seconds} s\n`,
);
process.exitCode = problems === 0 ? 0 : 1;

/** @param {string} folder @param {readonly string[]} messages */
function report(folder, messages) {
  problems += messages.length;
  for (const message of messages) process.stdout.write(`${folder}: ${message}\n`);
}

/**
 * @param {readonly string[]} names
 * @returns {Map<string, string>} the tarball's file name by package name
 */
function pack(names) {
  const output = execFileSync(
    'npm',
    [
      'pack',
      '--json',
      '--ignore-scripts',
      '--pack-destination',
      tarballs,
      ...names.flatMap((name) => ['-w', name]),
    ],
    { cwd: root, encoding: 'utf8', maxBuffer: 64 * 2 ** 20, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  return new Map(Object.values(JSON.parse(output)).map(({ name, filename }) => [name, filename]));
}

/** @param {Record<string, any>} manifest @param {Buffer} tarball */
async function askPublint(manifest, tarball) {
  const { messages } = await publint({
    strict: true,
    level: 'warning',
    pack: { tarball: arrayBuffer(tarball) },
  });
  return messages.map((message) => `publint: ${formatMessage(message, manifest, { color: false })}`);
}

/** @param {Buffer} tarball */
async function askAttw(tarball) {
  const analysis = await checkPackage(createPackageFromTarballData(new Uint8Array(tarball)));
  if (!analysis.types) return ['attw: the tarball has no types'];
  return analysis.problems
    .filter((problem) => !('resolutionKind' in problem && ignoredResolutions.has(problem.resolutionKind)))
    .map((problem) => `attw: ${JSON.stringify(problem)}`);
}

/** @param {Buffer} bytes */
function arrayBuffer(bytes) {
  return new Uint8Array(bytes).buffer;
}
