/** Who has which sectors of the log: every block that something leads to, once. */
import type { Findings } from '@backplane/file-service';
import type { Surface } from './audit-surface.ts';
import type { BlockKind } from './layouts.ts';

/** A block, as what leads to it describes it. */
export interface Claim {
  /** Whose it is: `descriptor 17`, `map block 3`. */
  readonly where: string;
  readonly sector: number;
  readonly sectors: number;
  readonly kind: BlockKind;
  /** 0 for blocks that are no file's. */
  readonly file: number;
  readonly generation: number;
  readonly truncations: number;
  readonly block: number;
  readonly level: number;
  readonly form: number;
  /** What it counts in its segment. */
  readonly liveBytes: number;
}

export class Claims {
  readonly #surface: Surface;
  readonly #findings: Findings;
  readonly #bySegment = new Map<number, Claim[]>();
  /** Claims by first sector. */
  readonly #first = new Map<number, Claim>();
  readonly #live = new Map<number, number>();

  constructor(surface: Surface, findings: Findings) {
    this.#surface = surface;
    this.#findings = findings;
  }

  /** False when it leads nowhere, or where somebody else's block begins: then it is not to be followed. */
  claim(c: Claim): boolean {
    if (!this.#surface.isInSegment(c.sector, c.sectors))
      return this.#findings.report('pointer', c.where, `leads to ${c.sectors} sectors at ${c.sector}`);
    const other = this.#first.get(c.sector);
    if (other !== undefined)
      return this.#findings.report(
        'duplicate',
        c.where,
        `sector ${c.sector} is that of ${other.where}, too`,
        c.sector,
      );
    this.#first.set(c.sector, c);
    const segment = this.#surface.segmentOf(c.sector);
    const here = this.#bySegment.get(segment);
    if (here === undefined) this.#bySegment.set(segment, [c]);
    else here.push(c);
    this.#live.set(segment, this.liveBytes(segment) + c.liveBytes);
    return true;
  }

  at(sector: number): Claim | undefined {
    return this.#first.get(sector);
  }

  liveBytes(segment: number): number {
    return this.#live.get(segment) ?? 0;
  }

  /** Segments with something live in them, in order, and the claims there in order of sectors. */
  *segments(): Iterable<readonly [segment: number, claims: readonly Claim[]]> {
    for (const [segment, claims] of [...this.#bySegment].sort(([a], [b]) => a - b))
      yield [segment, claims.sort((a, b) => a.sector - b.sector)];
  }

  /** Reports blocks that share sectors with the one before. */
  overlaps(): void {
    for (const [, claims] of this.segments()) {
      let before: Claim | undefined;
      for (const c of claims) {
        if (before !== undefined && before.sector + before.sectors > c.sector)
          this.#findings.report(
            'duplicate',
            c.where,
            `sector ${c.sector} is that of ${before.where}, too`,
            c.sector,
          );
        if (before === undefined || c.sector + c.sectors > before.sector + before.sectors) before = c;
      }
    }
  }
}
