/** What every script asks about the repository: its packages, in a fixed order. */

/**
 * @typedef {object} WorkspacePackage
 * @property {string} floor packages, hosts or integration
 * @property {string} folder relative to the root
 * @property {string} path absolute
 * @property {Record<string, any>} manifest its package.json
 */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

export const floors = ['packages', 'hosts', 'integration'];

/** The packages of which all boards share one copy: a board names them as peers. */
export const ground = ['engine', 'wire', 'slots'];

/** @returns {WorkspacePackage[]} */
export function workspacePackages() {
  const found = [];
  for (const floor of floors) {
    if (!existsSync(join(root, floor))) continue;
    for (const name of readdirSync(join(root, floor)).sort()) {
      const folder = `${floor}/${name}`;
      const manifestPath = join(root, folder, 'package.json');
      if (!existsSync(manifestPath)) continue;
      const manifest = JSON.parse(readFileSync(manifestPath, 'utf8'));
      found.push({ floor, folder, path: join(root, folder), manifest });
    }
  }
  return found;
}

/**
 * Runs `jobs` with at most `width` at a time; the results are in the order of the jobs.
 * @template T
 * @param {(() => Promise<T>)[]} jobs
 * @param {number} width
 * @returns {Promise<T[]>}
 */
export async function runLimited(jobs, width) {
  /** @type {T[]} */
  const results = [];
  const waiting = jobs.entries();
  const worker = async () => {
    for (const [at, job] of waiting) results[at] = await job();
  };
  await Promise.all(Array.from({ length: Math.min(width, jobs.length) }, worker));
  return results;
}
