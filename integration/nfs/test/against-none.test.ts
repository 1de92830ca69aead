/**
 * The same random operation files by NFS and without any cache: for one client at a time there must be no difference.
 * What is left out: inodes, the sizes of what is no file, and the silly names of files that are open without a name.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nfsCache } from '@backplane/cache-nfs';
import {
  experiment,
  type Performed,
  parseSetting,
  runExperiment,
  type Setting,
  type Value,
} from '@backplane/lab';
import { afterAll, describe, expect, it } from 'vitest';
import { randomFiles } from './random-files.ts';

const place = mkdtempSync(join(tmpdir(), 'backplane-nfs-'));
const file = join(place, 'random.ops');
afterAll(() => rmSync(place, { recursive: true, force: true }));

const withNfs = (options: Readonly<Record<string, unknown>>): Setting => ({
  text: 'fileCache=nfs',
  role: null,
  slot: 'fileCache',
  entry: {
    short: 'nfs',
    name: nfsCache.componentName,
    slot: 'fileCache',
    component: nfsCache as unknown as Setting['entry']['component'],
    make: nfsCache,
  },
  options,
});

function comparable(value: Value): Value {
  if (Array.isArray(value)) return value.filter((name) => !String(name).startsWith('.nfs'));
  if (value === null || typeof value !== 'object' || !('inode' in value)) return value;
  return { ...value, inode: 0, size: value.type === 'file' ? value.size : 0 };
}

function outcomes(settings: readonly Setting[]): {
  readonly lines: readonly string[];
  readonly lookups: number;
} {
  const { result, metrics } = runExperiment(experiment('replay'), {
    parameters: { ops: file },
    settings: [parseSetting('storage=memory'), ...settings],
    machineTypes: { '': 'zero-cost' },
  });
  const { operations } = result as { readonly operations: readonly Performed[] };
  return {
    lines: operations.map((o) => `${o.line} ${o.op}: ${o.error ?? JSON.stringify(comparable(o.value))}`),
    lookups: metrics['cache.nfs.lookups'] ?? 0,
  };
}

describe.each([[{}], [{ nameCache: true, transferBytes: 4096, daemons: 0 }]])('NFS with %j', (options) => {
  it('does what a protocol without caches does', { timeout: 60_000 }, () => {
    for (let seed = 1; seed <= 10; seed++) {
      writeFileSync(file, randomFiles(seed, 120));
      const nfs = outcomes([withNfs(options)]);
      const none = outcomes([parseSetting('fileCache=none')]);
      expect(nfs.lookups).toBeGreaterThan(10);
      const first = none.lines.findIndex((line, i) => line !== nfs.lines[i]);
      expect({ seed, none: none.lines[first], nfs: nfs.lines[first] }).toEqual({ seed });
    }
  });
});
