/** The part of the audit that adds up what is live in each segment and compares it with the usage table. */
import { tableClaim } from './audit-map.ts';
import type { PointerParts } from './audit-pointers.ts';
import type { FoundCheckpoint } from './audit-start.ts';
import {
  BlockKind,
  badFlag,
  blockHeader,
  blockSectors,
  type Checkpoint,
  cleanFlag,
  none,
  noSegment,
  type UsageEntry,
  usageEntriesPerBlock,
  usageEntry,
  usageMagic,
} from './layouts.ts';

/** Usage blocks by number, where they can be read. */
export type UsageTable = ReadonlyMap<number, Uint8Array>;

/** Claims the blocks of the usage table: what they take is live, too. */
export function claimUsage({ claims, findings, surface }: PointerParts, c: FoundCheckpoint): UsageTable {
  const table = new Map<number, Uint8Array>();
  for (const [n, sector] of c.usage.entries()) {
    const where = `usage block ${n}`;
    if (sector === none || !claims.claim(tableClaim(where, BlockKind.usage, n, sector))) continue;
    const bytes = surface.sealed(sector, blockSectors, usageMagic);
    if (bytes === null || blockHeader.get.index(bytes, 0) !== n)
      findings.report('usage', where, 'it is not valid', sector);
    else table.set(n, bytes);
  }
  return table;
}

/** Once everything has been claimed. */
export function auditUsage(parts: PointerParts, c: FoundCheckpoint, table: UsageTable): void {
  const { claims, findings, surface } = parts;
  for (const [n, bytes] of table) {
    const from = n * usageEntriesPerBlock;
    const end = Math.min(usageEntriesPerBlock, surface.plan.segments - from);
    for (let i = 0; i < end; i++) {
      const entry = usageEntry.decode(bytes, blockHeader.size + i * usageEntry.size);
      for (const text of wrongOf(entry, from + i, claims.liveBytes(from + i), c.checkpoint))
        findings.report('usage', `segment ${from + i}`, text, c.usage[n] ?? none);
    }
  }
  for (const [segment] of claims.segments())
    if ((c.usage[Math.floor(segment / usageEntriesPerBlock)] ?? none) === none)
      findings.report(
        'usage',
        `segment ${segment}`,
        `it has ${claims.liveBytes(segment)} live bytes and no entry`,
      );
  auditLogEnd(parts, c);
}

function* wrongOf(entry: UsageEntry, segment: number, live: number, c: Checkpoint): Iterable<string> {
  if (entry.liveBytes !== live) yield `it counts ${entry.liveBytes} live bytes, and has ${live}`;
  if ((entry.flags & cleanFlag) === 0) return;
  if (live > 0) yield 'it says that it is clean';
  if ((entry.flags & badFlag) !== 0) yield 'it is clean and bad';
  if (segment === c.segment || segment === c.next)
    yield 'it says that it is clean, and the log is in it or goes there next';
}

/** Is the place where the log goes on one? */
function auditLogEnd({ findings, surface }: PointerParts, c: FoundCheckpoint): void {
  const { segment, offset, next } = c.checkpoint;
  const { segments, segmentSectors } = surface.plan;
  const isNext = next === noSegment || (next < segments && next !== segment);
  if (segment < segments && offset <= segmentSectors && isNext) return;
  const text = `the log goes on in segment ${segment} at ${offset}, then in ${next}`;
  findings.report('checkpoint', 'checkpoint', text, c.sector);
}
