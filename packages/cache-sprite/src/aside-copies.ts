/**
 * What of one file is in the machine's non-volatile memory, and what follows from it. The block cache makes and removes the
 * copies of dirty blocks; this keeps what the next life of the machine has to know of them up to date, and remembers
 * what has been promised.
 *
 *   state       event                                  action                                       next
 *   kept        a block is written back                the server may have it in its cache          kept
 *   kept        fsync, every dirty block has a copy    none: a crash of this machine costs nothing  promised
 *   promised    a block is written back                the server answers when it is on its disk    promised
 *   promised    the last dirty block has left                                                       kept
 *
 * Without the state `promised` a crash of the server could take what fsync has confirmed, after the copy has been removed.
 * Blocks that survived a crash are treated so too: nobody remembers what was promised of them.
 */
import { type Aside, type CachedObject, type FileId, type HostId, hostId } from '@backplane/slots';
import type { Stamp, Version } from './stamp.ts';

/** What a client has to know of a file in its next life in order to give its blocks back. */
export interface KeptState {
  readonly server: HostId;
  readonly id: FileId;
  readonly version: Version;
  readonly stamp: Stamp;
  readonly sizeBytes: number;
  readonly modifyNs: number;
  /** Reopens that its server may have executed and has not answered: each may have made a version. */
  readonly unansweredReopens: number;
}

/** Labels of this protocol's files begin with it. */
export const labelPrefix = 'sprite/';

export class AsideCopies {
  readonly label: string;
  /** Blocks of an earlier life of this machine that its server does not have yet. */
  readonly survivors: Set<number> = new Set();
  promised = false;
  /** What has happened to the file at its server that may not be on the disk there, counted; and how much of that is. */
  changes = 1;
  synced = 0;
  readonly #aside: Aside;

  constructor(aside: Aside, label: string) {
    this.#aside = aside;
    this.label = label;
  }

  /** Would a crash at this moment cost nothing of the file that is dirty here? */
  covers(blocks: CachedObject): boolean {
    return this.#aside.covers(blocks);
  }

  /** The server's disk has all that the server has been told. */
  get isSynced(): boolean {
    return this.synced === this.changes;
  }

  tell(state: KeptState): void {
    this.#aside.tell(this.label, wordsOf(state));
  }

  /** False when there are not enough page frames for what has survived. */
  recover(blocks: CachedObject, survivors: readonly number[]): boolean {
    if (!this.#aside.recover(blocks)) return false;
    for (const block of survivors) this.survivors.add(block);
    this.promised = true;
    return true;
  }

  /** A block has been written back. Returns whether it was a survivor. */
  writtenBack(block: number, lastDirty: boolean, onDisk: boolean): boolean {
    if (!onDisk) this.changes++;
    if (lastDirty) this.promised = false;
    return this.survivors.delete(block);
  }

  /** Blocks from that number on are dropped. Returns how many of them were survivors. */
  dropped(from = 0): number {
    const gone = [...this.survivors].filter((block) => block >= from);
    for (const block of gone) this.survivors.delete(block);
    if (from === 0) this.promised = false;
    return gone.length;
  }
}

function wordsOf(s: KeptState): readonly number[] {
  const { id, version, stamp } = s;
  return [
    ...[s.server, id.domain, id.number, id.generation],
    ...[version.number, version.life, stamp.life, stamp.number],
    ...[s.sizeBytes, s.modifyNs, s.unansweredReopens],
  ];
}

/** Undefined for what no file of this protocol has told. */
export function stateOf(words: readonly number[]): KeptState | undefined {
  if (words.length !== 11) return undefined;
  const word = (i: number): number => words[i] ?? 0;
  return {
    server: hostId(word(0)),
    id: { domain: word(1), number: word(2), generation: word(3) },
    version: { number: word(4), life: word(5) },
    stamp: { life: word(6), number: word(7) },
    sizeBytes: word(8),
    modifyNs: word(9),
    unansweredReopens: word(10),
  };
}
