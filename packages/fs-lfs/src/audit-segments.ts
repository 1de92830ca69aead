/**
 * The part of the audit that compares the segments with what leads into them: summaries list every live block as what it
 * is, since cleaning goes by them, and the bytes are those that were written, files' bytes included.
 */
import type { Claim } from './audit-claims.ts';
import { after, hasItsBlocks, type ListedBlock, type PartialWrite, segmentWrites } from './audit-log.ts';
import type { PointerParts } from './audit-pointers.ts';
import type { FoundCheckpoint } from './audit-start.ts';
import { BlockKind } from './layouts.ts';

export function auditSegments(parts: PointerParts, c: FoundCheckpoint): void {
  const audit = new SegmentsAudit(parts, c);
  for (const [segment, claims] of parts.claims.segments()) audit.segment(segment, claims);
  audit.lastSegment();
}

class SegmentsAudit {
  readonly #parts: PointerParts;
  readonly #found: FoundCheckpoint;

  constructor(parts: PointerParts, found: FoundCheckpoint) {
    this.#parts = parts;
    this.#found = found;
  }

  segment(segment: number, claims: readonly Claim[]): void {
    const { findings, surface } = this.#parts;
    const where = `segment ${segment}`;
    let listed = 0;
    let end = surface.sectorOf(segment);
    for (const w of this.#writes(segment)) {
      const live = w.blocks.filter((b) => this.#isListed(b)).length;
      if (live > 0 && !hasItsBlocks(surface, w))
        findings.report(
          'bytes',
          where,
          `partial write ${w.summary.number} is not as it was written`,
          w.sector,
        );
      listed += live;
      end = w.sector + w.summary.sectors;
    }
    if (listed < claims.length)
      findings.report(
        'summary',
        where,
        `${claims.length - listed} blocks are listed by no valid summary`,
        end,
      );
  }

  /** What the checkpoint says of the log's end is what the last summary before it says. */
  lastSegment(): void {
    const { checkpoint, sector } = this.#found;
    const { segment, offset, number, previous } = checkpoint;
    if (offset === 0 || segment >= this.#parts.surface.plan.segments) return;
    let last: PartialWrite | null = null;
    for (const w of this.#writes(segment)) last = w;
    const ends = last !== null && last.summary.offset + last.summary.sectors === offset;
    const expected = ends && last !== null ? after(last) : null;
    if (expected === null || expected.number !== number || expected.previous !== previous)
      this.#parts.findings.report(
        'log',
        'checkpoint',
        `no partial write ${number - 1} ends at sector ${offset} of segment ${segment}`,
        sector,
      );
  }

  /** Those of before the checkpoint. */
  *#writes(segment: number): Iterable<PartialWrite> {
    const { checkpoint } = this.#found;
    for (const w of segmentWrites(this.#parts.surface, segment)) {
      if (segment === checkpoint.segment && w.summary.offset >= checkpoint.offset) return;
      yield w;
    }
  }

  /** Is it live? Then the summary has to say of it what leads to it says. */
  #isListed({ file, record, sector }: ListedBlock): boolean {
    const c = this.#parts.claims.at(sector);
    if (c === undefined) return false;
    const agrees =
      c.sectors === record.sectors &&
      c.kind === file.kind &&
      c.file === file.file &&
      c.generation === file.generation &&
      c.truncations === file.truncations &&
      c.form === record.form &&
      c.level === record.level &&
      (c.kind === BlockKind.descriptors || c.block === record.block);
    if (!agrees)
      this.#parts.findings.report('summary', c.where, 'its summary says that it is something else', sector);
    return true;
  }
}
