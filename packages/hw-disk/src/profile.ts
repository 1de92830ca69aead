/** What a drive is, in figures that each carry their source. */
import type { CostSource, NotedCost } from '@backplane/slots';

export interface DriveFigures {
  readonly cylinders: number;
  readonly heads: number;
  /** Of 512 bytes. */
  readonly sectorsPerTrack: number;
  readonly rpm: number;
  /** To the next cylinder. */
  readonly singleSeekMs: number;
  /** Over all pairs of different cylinders, each equally likely. */
  readonly averageSeekMs: number;
  readonly fullSeekMs: number;
  readonly headSwitchMs: number;
  /** How far sector 0 of a track lies behind that of the track before, on the same cylinder. */
  readonly trackSkewSectors: number;
  /** The same from the last track of a cylinder to the first of the next. */
  readonly cylinderSkewSectors: number;
  /** What the controller takes for each request before the arm moves. */
  readonly overheadMs: number;
  /** Sectors that the drive reads ahead into its own memory; 0: it has none. */
  readonly bufferSectors: number;
  /** How fast buffered sectors leave the drive; 0 where there is no buffer. */
  readonly busBytesPerSecond: number;
}

export interface DriveProfile {
  readonly name: string;
  readonly description: string;
  readonly sectors: number;
  /** Null: no mechanism at all, every request takes no time. */
  readonly figures: DriveFigures | null;
  readonly sources: { readonly [K in keyof DriveFigures]?: CostSource };
}

/** Declares a drive from figures that each carry their source. */
export function defineDrive(drive: {
  readonly name: string;
  readonly description: string;
  readonly figures: { readonly [K in keyof DriveFigures]: NotedCost };
}): DriveProfile {
  const entries = Object.entries(drive.figures) as [keyof DriveFigures, NotedCost][];
  // Both objects have the keys of the declaration: here the compiler is told.
  const figures = Object.fromEntries(entries.map(([k, n]) => [k, n.value])) as unknown as DriveFigures;
  const sources = Object.fromEntries(
    entries.map(([k, n]) => [k, { evidence: n.evidence, source: n.source }]),
  ) as DriveProfile['sources'];
  return Object.freeze({
    name: drive.name,
    description: drive.description,
    sectors: figures.cylinders * figures.heads * figures.sectorsPerTrack,
    figures: Object.freeze(figures),
    sources: Object.freeze(sources),
  });
}
