/** `backplane image dump FILE`: written piece by piece, since a disk has many structures. */
import { formatOf, ImageFile } from '@backplane/lab';
import type { DumpedRecord } from '@backplane/slots';
import { formatRows } from '@backplane/wire';
import pc from 'picocolors';
import { out } from '../output.ts';
import { usage } from '../settings.ts';

export interface DumpOptions {
  readonly json?: boolean;
  readonly structure?: string;
}

/** @throws BackplaneError when the image cannot be read, or has no such structure */
export function dumpImage(file: string, o: DumpOptions): void {
  const image = new ImageFile(file);
  try {
    const format = formatOf(image);
    const kinds = new Set<string>();
    const records = wanted(format.dump(image), o.structure, kinds);
    const first = records.next();
    if (first.done === true && o.structure !== undefined)
      throw usage(
        `--structure ${o.structure}: ${file} has none.`,
        `There are: ${[...kinds].sort().join(', ')}`,
      );
    const chosen = andThen(first, records);
    if (o.json === true) printJson({ file, format: format.name, sectors: image.sectors }, chosen);
    else for (const r of chosen) out(text(r));
  } finally {
    image.close();
  }
}

/** Those whose first words are the given ones. @param kinds gets what there is, without numbers */
function* wanted(
  records: Iterable<DumpedRecord>,
  structure: string | undefined,
  kinds: Set<string>,
): Generator<DumpedRecord, void> {
  const words = structure?.split(' ').filter((w) => w !== '') ?? [];
  for (const r of records) {
    const own = r.what.replaceAll(',', '').split(' ');
    kinds.add(own.filter((w) => !/^\d+$/.test(w)).join(' '));
    if (words.every((w, i) => own[i] === w)) yield r;
  }
}

function* andThen<T>(first: IteratorResult<T, void>, rest: Generator<T, void>): Iterable<T> {
  if (first.done === true) return;
  yield first.value;
  yield* rest;
}

const text = (r: DumpedRecord): string =>
  `${pc.bold(r.what)}  ${pc.dim(`sector ${r.sector}${r.at === 0 ? '' : ` + ${r.at}`}`)}\n${indented(formatRows(r.rows()))}`;

const indented = (lines: string): string =>
  lines
    .split('\n')
    .map((l) => `  ${l}`)
    .join('\n');

/** One object whose list is never in memory as a whole. */
function printJson(head: object, records: Iterable<DumpedRecord>): void {
  const { stdout } = process;
  stdout.write(`${JSON.stringify(head).slice(0, -1)},"records":[`);
  let separator = '';
  for (const { what, sector, at, rows } of records) {
    const fields = rows().map(({ path, offset, width, kind, value }) => ({
      path,
      offset,
      width,
      kind,
      value,
    }));
    stdout.write(`${separator}${JSON.stringify({ what, sector, at, rows: fields })}`);
    separator = ',';
  }
  out(']}');
}
