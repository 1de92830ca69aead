/** Of which files somebody has pages, and which holder an open goes by. */
import { fileKey } from '@backplane/file-service';
import { type FileId, KernelError, type Machine } from '@backplane/slots';
import type { Attaching } from '@backplane/uio';
import { HeldFile, type Holder, type OpenFile } from './page-holders.ts';

/** A holder, and what it holds pages of. */
export interface Holding {
  readonly held: HeldFile;
  readonly holder: Holder;
}

export class HeldFiles {
  readonly #machine: Machine;
  readonly #files = new Map<string, HeldFile>();
  readonly #attached = new Map<OpenFile, Holding>();
  /** Given up: dead, or silent for too long. */
  holdersLost = 0;

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  /** Domains of which somebody may have pages. */
  domains(): ReadonlySet<number> {
    return new Set([...this.#attached.values()].map((a) => a.held.file.domain));
  }

  entry(file: FileId): HeldFile {
    const key = fileKey(file);
    const held = this.#files.get(key) ?? new HeldFile(file);
    this.#files.set(key, held);
    return held;
  }

  forgetUnused(held: HeldFile): void {
    if (held.users === 0 && held.holders.size === 0) this.#files.delete(fileKey(held.file));
  }

  /** An open that went by another holder goes by this one from now on: its program has moved. */
  attach(open: OpenFile, { holder: entity, object, pageBytes }: Attaching): HeldFile {
    const before = this.#attached.get(open)?.holder;
    if (before !== undefined && (before.entity !== entity || before.object !== object)) this.detach(open);
    const held = this.entry(open.file);
    const holder = held.holder(entity, object) ?? {
      entity,
      object,
      pageBytes,
      opens: new Set(),
      pages: new Map(),
      heardNs: this.#machine.engine.nowNs,
    };
    held.holders.add(holder);
    holder.opens.add(open);
    this.#attached.set(open, { held, holder });
    return held;
  }

  /** With the last open of a holder goes what it had. */
  detach(open: OpenFile): void {
    const attached = this.#attached.get(open);
    if (attached === undefined) return;
    const { held, holder } = attached;
    this.#attached.delete(open);
    holder.opens.delete(open);
    if (holder.opens.size === 0) held.holders.delete(holder);
    this.forgetUnused(held);
  }

  /** Whoever has sent a message about this open. @throws KernelError `stale` if it has not attached, or was given up */
  sender(open: OpenFile): Holding {
    const attached = this.#attached.get(open);
    if (attached === undefined) throw new KernelError('stale', 'it has no holder');
    attached.holder.heardNs = this.#machine.engine.nowNs;
    return attached;
  }

  /** What it had is nobody's. If it lives, it finds out by its next message. */
  lose(held: HeldFile, holder: Holder): void {
    if (!held.holders.delete(holder)) return;
    for (const o of holder.opens) this.#attached.delete(o);
    this.holdersLost++;
    this.forgetUnused(held);
  }
}
