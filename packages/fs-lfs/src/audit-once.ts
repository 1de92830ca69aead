/**
 * The newest checkpoint of a medium that is written once: the last one in the log that is whole. Segments are used in
 * order, and one that a power failure has spoilt is left out; so all of them are looked at.
 */
import type { Findings } from '@backplane/file-service';
import { after, type Expected, endOf, hasItsBlocks, type PartialWrite, segmentWrites } from './audit-log.ts';
import { type FoundCheckpoint, readCheckpoint } from './audit-start.ts';
import type { Surface } from './audit-surface.ts';
import { BlockKind, type Superblock } from './layouts.ts';

export function auditOnce(surface: Surface, s: Superblock, findings: Findings): FoundCheckpoint | null {
  let newest: FoundCheckpoint | null = null;
  let expected: Expected | null = null;
  for (let segment = 0; segment < s.segments; segment++)
    for (const w of segmentWrites(surface, segment)) {
      const { number, previous } = w.summary;
      // A summary may be whole and its blocks not: then the number is used again.
      if (!hasItsBlocks(surface, w)) break;
      if (expected !== null && (number !== expected.number || previous !== expected.previous))
        findings.report(
          'log',
          `segment ${segment}`,
          `partial write ${number} does not follow the one before`,
          w.sector,
        );
      expected = after(w);
      newest = checkpointIn(surface, w, s) ?? newest;
    }
  if (newest === null) findings.report('checkpoint', 'log', 'there is no valid checkpoint');
  return newest;
}

/** The one in a partial write. It says where that write lies; what follows is known from its summary. */
function checkpointIn(surface: Surface, w: PartialWrite, s: Superblock): FoundCheckpoint | null {
  for (const { file, record, sector } of w.blocks) {
    const bytes = file.kind === BlockKind.checkpoint ? surface.read(sector, record.sectors) : null;
    const found = bytes === null ? null : readCheckpoint(bytes, sector, s);
    if (found !== null) return { ...found, checkpoint: { ...found.checkpoint, ...endOf(w) } };
  }
  return null;
}
