/**
 * Looks a disk over from outside: is everything true that its newest valid checkpoint leads to, and does what the log
 * holds after it make sense? For tests, tools and images. It shares the layouts with the storage and none of its code,
 * and it changes nothing.
 *
 * Whatever the bytes are, it ends and throws nothing: what a superblock counts is compared with the disk before anything
 * is counted by it, a block is followed by the first who leads to it, and numbers in the log only rise.
 */

import { Findings } from '@backplane/file-service';
import type { DiskImage, Finding } from '@backplane/slots';
import { Claims } from './audit-claims.ts';
import { auditMap } from './audit-map.ts';
import { auditNames } from './audit-names.ts';
import { auditOnce } from './audit-once.ts';
import { auditSegments } from './audit-segments.ts';
import { auditRegions, auditSuperblocks, type FoundCheckpoint } from './audit-start.ts';
import { Surface } from './audit-surface.ts';
import { auditTail } from './audit-tail.ts';
import { auditUsage, claimUsage } from './audit-usage.ts';
import { writeOnceFlag } from './layouts.ts';

export function auditLfs(image: DiskImage): readonly Finding[] {
  const findings = new Findings();
  const s = auditSuperblocks(image, findings);
  if (s === null) return findings.all();
  const surface = new Surface(image, s);
  const isOnce = (s.flags & writeOnceFlag) !== 0;
  const c = isOnce ? auditOnce(surface, s, findings) : auditRegions(image, s, findings);
  if (c !== null) auditFrom(surface, c, findings);
  return findings.all();
}

function auditFrom(surface: Surface, c: FoundCheckpoint, findings: Findings): void {
  const claims = new Claims(surface, findings);
  const parts = { surface, claims, findings };
  const usage = claimUsage(parts, c);
  const files = auditMap(parts, c);
  auditNames(parts, files);
  claims.overlaps();
  auditUsage(parts, c, usage);
  auditSegments(parts, c);
  auditTail(parts, c);
}
