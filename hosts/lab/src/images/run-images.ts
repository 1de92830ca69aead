/**
 * The disks of a cluster at the end of a run, as images. Machines that run are halted in good order first, since a storage
 * may have in memory what its disk has to agree with; of one that is off the disk is as the power failure left it.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Cluster } from '@backplane/chassis';
import { seconds, type Task } from '@backplane/engine';
import type { Disk, Finding } from '@backplane/slots';
import { hostReason, noFolderForImage } from './errors.ts';
import { type ImagePieces, writePieces } from './image-file.ts';
import { recognized } from './stores.ts';
import { isZeros } from './zeros.ts';

export interface RunImage {
  readonly file: string;
  readonly machine: string;
  /** Name of the disk's instance. */
  readonly disk: string;
  /** Null where no storage is recognized, or the disk is a part of another one. */
  readonly format: string | null;
  /** Null where nothing was audited: an unknown format, or a machine that was not halted. */
  readonly findings: readonly Finding[] | null;
}

/** How long a machine may take to halt. */
const haltNs = seconds(600);

/** Makes the directory if need be. @throws BackplaneError before the run, rather than after it */
export function imagesDirectory(directory: string): void {
  try {
    mkdirSync(directory, { recursive: true });
  } catch (e) {
    throw noFolderForImage(directory, `${hostReason(e)}.`);
  }
}

/** Writes `DIRECTORY/MACHINE-DISK.img` for each disk and audits those whose format is recognized. The run is over. */
export function writeRunImages(cluster: Cluster, directory: string): readonly RunImage[] {
  const withDisks = cluster.composition.machines.filter((m) => m.boards.some((b) => b.board.slot === 'disk'));
  const halted = haltAll(
    cluster,
    withDisks.map((m) => m.description.name),
  );
  return withDisks.flatMap(({ description: { name }, boards }) => {
    const parts = new Set(boards.filter((b) => b.board.slot === 'disk').flatMap((b) => b.wrapped));
    return boards
      .filter((b) => b.board.slot === 'disk')
      .map(({ instance }) => {
        const disk = cluster.machine(name).board('disk', instance);
        const file = join(directory, `${name}-${instance}.img`);
        writePieces(file, disk.sectors, piecesOf(disk));
        const image = { sectorBytes: disk.sectorBytes, sectors: disk.sectors, read: reader(disk) };
        const format = parts.has(instance) ? undefined : recognized(image);
        const findings = format !== undefined && halted.has(name) ? format.audit(image) : null;
        return { file, machine: name, disk: instance, format: format?.name ?? null, findings };
      });
  });
}

const reader =
  (disk: Disk) =>
  (sector: number, count: number): Uint8Array =>
    disk.inspect(sector, count);

const pieceBytes = 1 << 17;

function* piecesOf(disk: Disk): ImagePieces {
  for (const { sector, data } of disk.extents())
    for (let at = 0; at < data.length; at += pieceBytes) {
      const bytes = data.subarray(at, at + pieceBytes);
      if (!isZeros(bytes)) yield { sector: sector + at / disk.sectorBytes, bytes };
    }
}

/** Those that have come to a halt, one after another. */
function haltAll(cluster: Cluster, names: readonly string[]): ReadonlySet<string> {
  const halted = new Set<string>();
  for (const name of names) {
    const machine = cluster.machine(name);
    if (machine.state !== 'running') continue;
    cluster.start(
      `halt ${name}`,
      (function* (): Task<void> {
        yield* machine.halt();
        halted.add(name);
      })(),
    );
    cluster.engine.run(cluster.engine.nowNs + haltNs);
  }
  return halted;
}
