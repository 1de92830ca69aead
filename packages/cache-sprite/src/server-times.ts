/** Times of a file that clients change in their caches, and what a server makes of their reports. */
import type { Task } from '@backplane/engine';
import type { AttributeChange, StoredAttributes } from '@backplane/slots';
import type { Report } from './open-procedures.ts';
import type { ServerFile } from './server-file.ts';

/** Stores what a client reports, unless the time was set by hand after it. */
export function* keepTimes(f: ServerFile, report: Report): Task<void> {
  if (f.removed || (report.modifyNs === 0 && report.accessNs === 0)) return;
  const { storage } = f.domain;
  const a = yield* storage.attributes(f.id);
  const modifyNs = modifyTime(f, report.modifyNs);
  const change: AttributeChange = {
    ...(modifyNs > 0 && modifyNs !== a.modifyNs && { modifyNs }),
    ...(report.accessNs > a.accessNs && { accessNs: report.accessNs }),
  };
  if (Object.keys(change).length > 0) yield* storage.setAttributes(f.id, change);
}

/** A block has been written back: the file was changed when the program wrote, not when its block came. */
export function* keepModifyTime(f: ServerFile, writtenNs: number): Task<void> {
  const modifyNs = modifyTime(f, writtenNs);
  if (modifyNs > 0) yield* f.domain.storage.setAttributes(f.id, { modifyNs });
}

const modifyTime = (f: ServerFile, writtenNs: number): number =>
  f.timeSet !== null && f.timeSet.atNs >= writtenNs ? f.timeSet.modifyNs : writtenNs;

/** The stored attributes with what a client that writes or reads its own copies has changed. */
export function withReport(a: StoredAttributes, f: ServerFile, report: Report): StoredAttributes {
  const modified = report.modifyNs > 0;
  return {
    ...a,
    ...(modified && { sizeBytes: report.sizeBytes, modifyNs: modifyTime(f, report.modifyNs) }),
    accessNs: Math.max(a.accessNs, report.accessNs),
  };
}

/** Remembers that the modify time was set by hand. */
export function timeWasSet(f: ServerFile | undefined, change: AttributeChange, nowNs: number): void {
  if (f !== undefined && change.modifyNs !== undefined)
    f.timeSet = { atNs: nowNs, modifyNs: change.modifyNs };
}
