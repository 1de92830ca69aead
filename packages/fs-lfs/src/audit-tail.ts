/**
 * The part of the audit that reads what the log holds after the checkpoint. A power failure may end it anywhere; what
 * ends a group before that has to make sense, since recovery is going to believe it.
 */
import { endsGroup, type ListedBlock, type PartialWrite, startsGroup, writesFrom } from './audit-log.ts';
import type { PointerParts } from './audit-pointers.ts';
import type { FoundCheckpoint } from './audit-start.ts';
import {
  BlockKind,
  blockHeader,
  type DirectoryLogRecord,
  DirectoryOperation,
  deflatedForm,
  descriptorBytes,
  descriptorRecord,
  descriptorsMagic,
  descriptorsPerBlock,
  directoryLogMagic,
  directoryLogRecord,
  indexMagic,
  mapMagic,
  none,
  type Pointer,
  renamePart,
  usageMagic,
} from './layouts.ts';

export function auditTail(parts: PointerParts, c: FoundCheckpoint): void {
  const tail = new TailAudit(parts, c);
  let group: PartialWrite[] = [];
  for (const w of writesFrom(parts.surface, c.checkpoint)) {
    tail.place(w);
    if (startsGroup(w)) group = [];
    group.push(w);
    if (!endsGroup(w)) continue;
    for (const one of group) for (const b of one.blocks) tail.block(b);
    group = [];
  }
}

const magics: ReadonlyMap<number, number> = /* @__PURE__ */ new Map([
  [BlockKind.index, indexMagic],
  [BlockKind.descriptors, descriptorsMagic],
  [BlockKind.directoryLog, directoryLogMagic],
  [BlockKind.map, mapMagic],
  [BlockKind.usage, usageMagic],
]);

class TailAudit {
  readonly #parts: PointerParts;
  readonly #found: FoundCheckpoint;
  #sequence: number;

  constructor(parts: PointerParts, found: FoundCheckpoint) {
    this.#parts = parts;
    this.#found = found;
    this.#sequence = found.checkpoint.sequence;
  }

  /** It may not lie over anything that was live at the checkpoint. */
  place(w: PartialWrite): void {
    const { segment, offset } = this.#found.checkpoint;
    const isAfter = w.summary.segment === segment && w.summary.offset >= offset;
    if (!isAfter && this.#parts.claims.liveBytes(w.summary.segment) > 0)
      this.#report(
        'overwritten',
        `partial write ${w.summary.number}`,
        'it lies in a segment in use',
        w.sector,
      );
  }

  block(b: ListedBlock): void {
    const { kind } = b.file;
    const magic = magics.get(kind);
    if (magic === undefined) {
      if (kind !== BlockKind.data && kind !== BlockKind.checkpoint)
        this.#report('summary', 'log', `a block of kind ${kind}`, b.sector);
      return;
    }
    const bytes = this.#parts.surface.sealed(b.sector, b.record.sectors, magic);
    if (bytes === null) this.#report('block', 'log', `a block of kind ${kind} is not valid`, b.sector);
    else if (kind === BlockKind.descriptors) this.#descriptors(bytes, b.sector);
    else if (kind === BlockKind.directoryLog) this.#operations(bytes, b.sector);
  }

  #descriptors(bytes: Uint8Array, sector: number): void {
    const count = blockHeader.get.count(bytes, 0);
    if (count > descriptorsPerBlock || blockHeader.size + count * descriptorBytes > bytes.length) {
      this.#report('descriptor', 'log', `a block of ${count} descriptors`, sector);
      return;
    }
    for (let i = 0; i < count; i++) {
      const d = descriptorRecord.decode(bytes, blockHeader.size + i * descriptorBytes);
      if (![...d.direct, ...d.indirect].every((p) => this.#isPointer(p)))
        this.#report('pointer', `descriptor ${d.number}`, 'one in the log leads out of it', sector);
    }
  }

  #isPointer(p: Pointer): boolean {
    return (
      p.sector === none || (p.form <= deflatedForm && this.#parts.surface.isInSegment(p.sector, p.sectors))
    );
  }

  #operations(bytes: Uint8Array, sector: number): void {
    const count = blockHeader.get.count(bytes, 0);
    let at = blockHeader.size;
    for (let i = 0; i < count; i++) {
      const r = directoryLogRecord.tryDecode(bytes, at);
      const end = r === undefined ? Number.POSITIVE_INFINITY : at + lengthOf(r);
      if (r === undefined || end > bytes.length || !operations.includes(r.operation)) {
        this.#report('directoryLog', 'log', `record ${i} of ${count} is none`, sector);
        return;
      }
      if (r.sequence !== this.#sequence)
        this.#report('directoryLog', 'log', `record ${r.sequence} where ${this.#sequence} follows`, sector);
      this.#sequence = (r.sequence + 1) >>> 0;
      at = end;
    }
  }

  #report(kind: string, where: string, text: string, sector: number): void {
    this.#parts.findings.report(kind, where, text, sector);
  }
}

const operations: readonly number[] = /* @__PURE__ */ Object.values(DirectoryOperation);

const lengthOf = (r: DirectoryLogRecord): number =>
  directoryLogRecord.size +
  r.nameBytes +
  (r.operation === DirectoryOperation.rename ? renamePart.size + r.oldNameBytes : 0);
