/** What the rows of the log-structured file system have in common. */
import { type PublishedRow, row } from './table.ts';

export const paper = 'Rosenblum and Ousterhout 1992';
export const thesis = 'Rosenblum 1992';

/** Boards by the paper's names of the systems. */
export const systems = {
  /** With the segments of the measurements, and names in the log some time later. */
  lfs: ['storage=lfs:segmentBytes=1048576,metadata=delayed'],
  /** Names and descriptors are on the disk before a program hears of them, files begin near their directory. */
  sunos: ['storage=ofs:metadata=synchronous,placement=grouped'],
  /** Sprite's own file system that is updated in place. */
  ofs: ['storage=ofs:metadata=delayed'],
} as const;

type Figure = Pick<PublishedRow, 'row' | 'unit' | 'published' | 'measured' | 'kind' | 'band'> &
  Partial<Pick<PublishedRow, 'source'>>;

export const lfsRow = (f: Figure): PublishedRow => row({ source: paper, table: 'lfs', ...f });

/** One quantity over another that is said not to be smaller. */
export const noMoreThan = (name: string, measured: number, published: number = 1): PublishedRow =>
  row({
    source: paper,
    table: 'lfs',
    row: `${name}, at most`,
    unit: 'x',
    published,
    measured,
    kind: 'check',
    band: 0,
    atMost: true,
  });

/** One quantity over another of which a range is given. */
export const between = (
  name: string,
  unit: string,
  from: number,
  to: number,
  measured: number,
): PublishedRow =>
  lfsRow({
    row: name,
    unit,
    published: Number(((from + to) / 2).toPrecision(12)),
    measured,
    kind: 'check',
    band: (to - from) / (to + from),
  });
