/**
 * `import`: a directory of this host is put into an image, with all that `backplane image import` does: the host's files are
 * read, the log is written, and the image is checked before and after. A unit is a megabyte of content. The directory is in
 * the host's temporary folder, is made once and removed at the end.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createImage, importIntoImage } from '@backplane/lab';
import { type Line, rounded } from './line.ts';

const directories = 40;
const filesInDirectory = 50;
/** 1, 2, 4 and so on up to 256 KB, in turn. */
const sizes = 9;
const diskBytes = 300e6;

export interface HostTree {
  /** Of the benchmark: the image beside the tree. */
  readonly folder: string;
  readonly tree: string;
}

export function hostTree(): HostTree {
  const folder = mkdtempSync(join(tmpdir(), 'backplane-import-'));
  const tree = join(folder, 'tree');
  for (let d = 0; d < directories; d++) {
    mkdirSync(join(tree, `d${d}`), { recursive: true });
    for (let f = 0; f < filesInDirectory; f++) {
      const n = d * filesInDirectory + f;
      writeFileSync(join(tree, `d${d}`, `file ${f}`), Buffer.alloc(1024 << (n % sizes), `${n} `));
    }
  }
  return { folder, tree };
}

export const removeTree = ({ folder }: HostTree): void => rmSync(folder, { recursive: true, force: true });

export async function importTree({ folder, tree }: HostTree): Promise<Line> {
  const image = join(folder, 'image');
  rmSync(image, { force: true });
  await createImage(image, 'lfs', diskBytes);
  const before = process.cpuUsage();
  const startedMs = performance.now();
  const { files, bytes } = await importIntoImage(image, tree);
  const used = process.cpuUsage(before);
  const cpu = (used.user + used.system) / 1e6;
  const megabytes = bytes / 1e6;
  return {
    name: 'import lfs',
    units: rounded(megabytes),
    sec: rounded((performance.now() - startedMs) / 1000),
    cpu: rounded(cpu),
    rate: Math.round(megabytes / cpu),
    check: `${files} files, ${bytes} bytes`,
  };
}
