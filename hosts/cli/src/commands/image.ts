/** `backplane image ...`: disk images, made, filled, emptied, checked and shown. */
import {
  auditImage,
  createImage,
  exportImage,
  formatOf,
  ImageFile,
  importIntoImage,
  storeFormats,
  type Transfer,
  type Turn,
} from '@backplane/lab';
import type { Command } from 'commander';
import { exit } from '../exit.ts';
import { formatTable, json, note, out } from '../output.ts';
import { TransferProgress } from '../progress.ts';
import { Interrupted, type Session } from '../session.ts';
import { usage } from '../settings.ts';
import { dumpImage } from './image-dump.ts';

interface JsonOption {
  readonly json?: boolean;
}

export function addImage(program: Command, session: Session): void {
  const image = program.command('image').description('disk images: plain files of a disk’s sectors');
  const sub = (name: string, description: string): Command =>
    image
      .command(name)
      .argument('<file>', 'the image')
      .description(description)
      .exitOverride()
      .option('--json', 'one JSON object');
  const names = storeFormats.map((f) => f.name).join(' or ');

  sub('create', 'an empty image')
    .requiredOption('--storage <storage>', `${names}; options as in lfs:segmentBytes=262144`)
    .requiredOption('--size <size>', 'bytes, or with K, M or G: 300M')
    .action(async (file: string, o: JsonOption & { readonly storage: string; readonly size: string }) => {
      const made = await createImage(file, o.storage, parseSize(o.size));
      if (o.json === true) json({ file, ...made });
      else out(`${file}: ${made.format}, ${made.sectors} sectors, empty`);
    });
  sub('import', 'put a directory of this host into an image')
    .argument('<dir>', 'what is in it goes below the image’s root')
    .action(async (file: string, directory: string, o: JsonOption) => {
      const moved = await withProgress(session, 'import', (turn) => importIntoImage(file, directory, turn));
      finish({ file, directory }, moved, o);
    });
  sub('export', 'take everything out of an image')
    .argument('<dir>', 'an empty directory, or none yet')
    .action(async (file: string, directory: string, o: JsonOption) => {
      const moved = await withProgress(session, 'export', (turn) => exportImage(file, directory, turn));
      finish({ file, directory }, moved, o);
    });
  sub('check', 'is everything true that an image says of itself?').action((file: string, o: JsonOption) =>
    session.finish(checkImage(file, o)),
  );
  sub('dump', 'the structures of an image, field by field')
    .option('--structure <name>', 'only those whose names begin so: superblock, descriptor, "descriptor 5"')
    .action((file: string, o: JsonOption & { readonly structure?: string }) => dumpImage(file, o));
}

/** @throws BackplaneError when the image cannot be read, or is none, or only a part of one */
function checkImage(file: string, o: JsonOption): (typeof exit)['good' | 'failed'] {
  const image = new ImageFile(file);
  try {
    const format = formatOf(image);
    const findings = auditImage(image, format);
    const { sectors } = image;
    if (o.json === true) json({ file, format: format.name, sectors, sound: findings.length === 0, findings });
    else if (findings.length === 0) out(`${file}: ${format.name}, ${sectors} sectors, sound`);
    else
      out(
        formatTable({
          title: `${file}: ${format.name}, ${findings.length} findings`,
          head: ['kind', 'where', 'byte', 'what'],
          rows: findings.map((f) => [
            f.kind,
            f.where,
            f.sector === undefined ? '' : String(f.sector * image.sectorBytes),
            f.text,
          ]),
        }),
      );
    return findings.length === 0 ? exit.good : exit.failed;
  } finally {
    image.close();
  }
}

async function withProgress(
  session: Session,
  what: string,
  work: (turn: Turn) => Promise<Transfer>,
): Promise<Transfer> {
  const progress = new TransferProgress(what);
  try {
    return await work((so) => {
      if (session.interrupted.aborted) throw new Interrupted();
      progress.show(so.files + so.directories + so.symlinks + so.hardLinks, so.bytes);
    });
  } finally {
    progress.done();
  }
}

/** What was moved, and on standard error what was not. */
function finish(
  names: { readonly file: string; readonly directory: string },
  moved: Transfer,
  o: JsonOption,
): void {
  for (const { path, reason } of moved.leftOut) note(`left out: ${path}: ${reason}`);
  if (moved.timesLost > 0)
    note(`${moved.timesLost} objects have no times: the storage ${moved.format} keeps only those near 1988`);
  if (o.json === true) {
    json({ ...names, ...moved });
    return;
  }
  const { files, directories, symlinks, hardLinks, bytes, leftOut } = moved;
  const counts = `${files} files, ${directories} directories, ${symlinks} symbolic links, ${hardLinks} hard links`;
  out(`${names.file}, ${names.directory}: ${counts}, ${bytes} bytes; ${leftOut.length} left out`);
}

const units: Readonly<Record<string, number>> = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 };
/** Sectors are counted in 32 bits. */
const sizeMax = 2 ** 41;

/** @throws BackplaneError */
function parseSize(text: string): number {
  const match = /^(\d+)([KMG]?)B?$/i.exec(text);
  const bytes = Number(match?.[1]) * (units[(match?.[2] ?? '').toUpperCase()] ?? Number.NaN);
  if (!(bytes > 0 && bytes <= sizeMax && bytes % 512 === 0))
    throw usage(`--size takes bytes in whole sectors of 512, not "${text}".`, '--size 300M');
  return bytes;
}
