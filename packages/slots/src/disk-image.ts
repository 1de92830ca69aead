/**
 * What a storage's disks look like to programs that are no part of a kernel: checkers, dumps, crash testers. A package
 * with a board for slot `storage` on a disk exports one `StoreFormat` beside it.
 *
 * A format shares with its board the layouts and no more: whoever judges what recovery has made of a disk does it with
 * code of its own.
 */
import type { LayoutFacts, Row } from '@backplane/wire';

/** The content of a disk at rest. Every sector can be read; what was never written is zeros. */
export interface DiskImage {
  readonly sectorBytes: number;
  readonly sectors: number;
  /** Not to be changed. @param sector first sector; `sector + count` is at most `sectors` */
  read(sector: number, count: number): Uint8Array;
}

/** Something that an image says of itself and that is not true. */
export interface Finding {
  /** A stable word for the sort of thing that is wrong: `duplicate`, `links`, `checksum`, ... */
  readonly kind: string;
  /** Where: `descriptor 17`, `directory 2`, `checkpoint region 1`. */
  readonly where: string;
  readonly text: string;
  /** First sector of the structure, where there is one. */
  readonly sector?: number;
}

/** One structure of an image, field by field. */
export interface DumpedRecord {
  /** What it is: `superblock`, `summary of partial write 12`, `descriptor 5`. */
  readonly what: string;
  readonly sector: number;
  /** Bytes from the beginning of that sector. */
  readonly at: number;
  /** Its fields, described anew each time: who only asks what stands where pays for no more. */
  rows(): readonly Row[];
}

export interface StoreFormat {
  /** The board's short name: `lfs`, `ofs`. */
  readonly name: string;
  /** Does an image claim to be of this format, whether it is sound or not? */
  recognizes(image: DiskImage): boolean;
  /** Everything that is wrong; empty: sound. Ends, and throws nothing, whatever the bytes are. */
  audit(image: DiskImage): readonly Finding[];
  /** Every structure that can be reached, in the order in which one leads to the next. Ends, whatever the bytes are. */
  dump(image: DiskImage): Iterable<DumpedRecord>;
  /** The records on the disk, for generated documentation, in the order in which they should be read. */
  readonly layouts: readonly LayoutFacts[];
}
