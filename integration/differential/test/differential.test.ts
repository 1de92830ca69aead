/**
 * Random sequential operation files, carried out on an emulated cluster and on the host's own file system: every outcome
 * has to be the same, whichever boards carry files and store them. `npm test` runs a sample; with BACKPLANE_FULL all 500
 * files are run for each.
 *
 * What 4.3BSD did otherwise than the host, and is tolerated:
 * - link(2) follows a symbolic link in its first name, and the host links the link itself (the host is made to follow);
 * - a write or a change of mode does not clear set-id bits here unless the owner changes;
 * - where two errors apply, which of them is reported: `toleratedErrors` lists the pairs;
 * - the sizes of directories and of symbolic links, which only a store knows.
 *
 * With NFS also: a file that loses a name while it is open keeps one that begins with ".nfs" until its last close. It is
 * seen in its directory and in the file's link count, and the directory is not empty. The host is made to do the same.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  catalogue,
  experiment,
  kernelNamed,
  type Performed,
  parseOperations,
  parseSetting,
  runExperiment,
  type Value,
} from '@backplane/lab';
import { afterAll, describe, expect, it } from 'vitest';
import { HostFiles, keptName, type Outcome } from './host.ts';
import { randomOperations } from './random-operations.ts';

const full = process.env['BACKPLANE_FULL'] !== undefined;
const sample = 15;
const operationsPerFile = 80;
const place = mkdtempSync(join(tmpdir(), 'backplane-differential-'));
afterAll(() => rmSync(place, { recursive: true, force: true }));

/** Operation, error here, error on the host: nothing happens in either case. */
const toleratedErrors: readonly (readonly [string, string, string])[] = [
  // The host looks first whether the new name is an ancestor of the old one.
  ['rename', 'EISDIR', 'ENOTEMPTY'],
];

/**
 * What is compared: sizes of files only, and no inodes, since the host gives them out again; and of names that open files
 * have kept only how many there are.
 */
function comparable(value: Value): Value {
  if (Array.isArray(value))
    return value.map((name) => (String(name).startsWith(keptName) ? keptName : name)).sort();
  if (value === null || typeof value !== 'object' || !('inode' in value)) return value;
  return { ...value, inode: 0, size: value.type === 'file' ? value.size : 0 };
}

/** What the cluster runs: a kernel, and boards of its own choice. */
interface Under {
  readonly kernel: string;
  readonly fileCache: string;
  readonly storage: string;
}

function onCluster(text: string, file: string, { kernel, ...boards }: Under): readonly Performed[] {
  writeFileSync(file, text);
  const settings = Object.entries(boards).map(([slot, board]) => parseSetting(`${slot}=${board}`));
  const { result } = runExperiment(experiment('replay'), {
    parameters: { ops: file },
    kernels: { '': kernelNamed(kernel) },
    settings,
    machineTypes: { '': 'zero-cost' },
  });
  return (result as { readonly operations: readonly Performed[] }).operations;
}

function onHost(text: string, root: string, keepsNames: boolean): readonly Outcome[] {
  rmSync(root, { recursive: true, force: true });
  mkdirSync(root, { mode: 0o755 });
  const host = new HostFiles(root, { keepsNames });
  const outcomes: Outcome[] = [];
  for (const step of parseOperations(text, 'random')[0]?.steps ?? [])
    if (step.step === 'file') outcomes.push(host.perform(step.operation));
  host.close();
  return outcomes;
}

/** Lines whose outcomes differ, with both. */
function differences(seed: number, under: Under): readonly string[] {
  const text = randomOperations(seed, operationsPerFile);
  const lines = text.split('\n');
  const here = onCluster(text, join(place, `${seed}.ops`), under);
  const there = onHost(text, join(place, `root-${seed}`), under.fileCache === 'nfs');
  return here.flatMap((o, i) => {
    const expected = there[i];
    const same =
      expected !== undefined &&
      o.error === expected.error &&
      JSON.stringify(comparable(o.value)) === JSON.stringify(comparable(expected.value));
    const tolerated = toleratedErrors.some(
      ([op, error, other]) => o.op === op && o.error === error && expected?.error === other,
    );
    return same || tolerated
      ? []
      : [
          `seed ${seed}, ${lines[i]}: here ${o.error ?? JSON.stringify(o.value)}, on the host ${expected?.error ?? JSON.stringify(expected?.value)}`,
        ];
  });
}

const files = full ? 500 : sample;
const storages = catalogue.filter((e) => e.slot === 'storage').map((e) => e.short);

const kernels = [
  ['sprite', 'sprite'],
  ['sprite', 'nfs'],
  ['sprite', 'none'],
  ['v', 'uio'],
] as const;

describe.each(storages)('with storage=%s', (storage) => {
  describe.each(kernels)('and the kernel %s with fileCache=%s', (kernel, fileCache) => {
    it(`${files} random operation files end as on the host`, { timeout: 600_000 }, () => {
      for (let seed = 1; seed <= files; seed++) {
        // The first difference makes others: one is enough to see.
        expect(differences(seed, { kernel, fileCache, storage }).slice(0, 1)).toEqual([]);
      }
    });
  });
});
