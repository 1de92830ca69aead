/**
 * Small and large files on a local disk. The rates of Sprite LFS, and the large files, were read off charts: of the first
 * one is fitted, of the others the order alone is checked.
 */
import { type LargeFilePhaseName, type LargeFileResult, largeFile } from '../experiments/large-file.ts';
import { type SmallFilesPhase, type SmallFilesResult, smallFiles } from '../experiments/small-files.ts';
import { type Runs, resultOf } from '../runs.ts';
import { between, lfsRow, noMoreThan, systems } from './lfs-rows.ts';
import { type Given, type PublishedRow, settingsFor } from './table.ts';

const band = { busy: 0.15, rate: 0.25 };

export function* lfsFiles(given: Given): Runs<readonly PublishedRow[]> {
  const [lfs, sunos] = [settingsFor(given, ...systems.lfs), settingsFor(given, ...systems.sunos)];
  const small = smallRows(yield* resultOf(smallFiles, lfs), yield* resultOf(smallFiles, sunos));
  const large = largeRows(yield* resultOf(largeFile, lfs), yield* resultOf(largeFile, sunos));
  return [...small, ...large];
}

function smallRows(lfs: SmallFilesResult, sunos: SmallFilesResult): readonly PublishedRow[] {
  const [create, made] = [phaseOf(lfs, 'create'), phaseOf(sunos, 'create')];
  const over = (name: SmallFilesPhase['name']): number =>
    phaseOf(lfs, name).filesPerSecond / phaseOf(sunos, name).filesPerSecond;
  return [
    lfsRow({
      row: 'small files, LFS: create',
      unit: 'files/s',
      published: 170,
      measured: create.filesPerSecond,
      kind: 'fitted',
      band: 0.06,
    }),
    lfsRow({
      row: 'small files, LFS: disk busy while they are made',
      unit: '%',
      published: 17,
      measured: 100 * create.diskBusyShare,
      kind: 'predicted',
      band: band.busy,
    }),
    lfsRow({
      row: 'small files, SunOS: disk busy while they are made',
      unit: '%',
      published: 85,
      measured: 100 * made.diskBusyShare,
      kind: 'predicted',
      band: band.busy,
    }),
    // 1.2 % of the disk's bandwidth was used for new bytes.
    lfsRow({
      row: 'small files, SunOS: create',
      unit: 'files/s',
      published: 15.6,
      measured: made.filesPerSecond,
      kind: 'predicted',
      band: band.rate,
    }),
    // "Almost ten times as fast".
    between('small files: create, LFS over SunOS', 'x', 8, 14, over('create')),
    between('small files: delete, LFS over SunOS', 'x', 8, 14, over('delete')),
    noMoreThan('small files: read, SunOS over LFS', 1 / over('read')),
  ];
}

function phaseOf({ phases }: SmallFilesResult, name: SmallFilesPhase['name']): SmallFilesPhase {
  const phase = phases.find((p) => p.name === name);
  if (phase === undefined) throw new Error(`published: no phase ${name}`);
  return phase;
}

function largeRows(lfs: LargeFileResult, sunos: LargeFileResult): readonly PublishedRow[] {
  const rate = ({ phases }: LargeFileResult, name: LargeFilePhaseName): number =>
    phases.find((p) => p.name === name)?.kilobytesPerSecond ?? 0;
  const over = (name: LargeFilePhaseName): number => rate(lfs, name) / rate(sunos, name);
  return [
    noMoreThan('large file: sequential write, SunOS over LFS', 1 / over('sequential write')),
    noMoreThan('large file: random write, SunOS over LFS', 1 / over('random write')),
    // "The same read bandwidth", as far as a chart can tell.
    between('large file: sequential read, LFS over SunOS', 'x', 0.7, 1.3, over('sequential read')),
    between('large file: random read, LFS over SunOS', 'x', 0.7, 1.3, over('random read')),
    // "Substantially lower": less than two thirds.
    noMoreThan('large file: sequential reread, LFS over SunOS', over('sequential reread'), 0.67),
  ];
}
