/**
 * Write sharing, sequential and concurrent: several clients read and write the records of a few files, and every byte that
 * is read is checked against a model that knows nothing of caches.
 *
 * A record is filled with one stamp, and no stamp is written twice. A record is a register: a read may return the stamp of
 * a write that began before the read ended, unless another write lay wholly between the end of that one and the beginning
 * of the read. That is what a single host would show, and what Sprite promises its users (Nelson, Welch, Ousterhout 1988:
 * "each read returns the most recently written bytes"). A file that is opened after it was closed elsewhere, and one that
 * is open on several hosts at once, are both covered.
 */
import type { RandomStream, Task } from '@backplane/engine';
import type { Calls, Fd } from '@backplane/slots';

export const recordBytes = 512;

interface Write {
  readonly stamp: number;
  readonly startNs: number;
  /** Infinity while it is under way. */
  endNs: number;
}

export interface Violation {
  readonly client: string;
  readonly file: string;
  readonly record: number;
  readonly stamp: number;
  readonly newest: number;
  readonly virtualSeconds: number;
}

/** The model: what was written to each record, and when. */
export class SharedRecords {
  readonly #writes = new Map<string, Write[]>();
  #stamps = 0;
  readsChecked = 0;
  readonly violations: Violation[] = [];

  begin(file: string, record: number, startNs: number): Write {
    const write = { stamp: ++this.#stamps, startNs, endNs: Number.POSITIVE_INFINITY };
    this.#of(file, record).push(write);
    return write;
  }

  check(
    client: string,
    file: string,
    record: number,
    bytes: Uint8Array,
    startNs: number,
    endNs: number,
  ): void {
    this.readsChecked++;
    const stamp = stampIn(bytes);
    const writes = this.#of(file, record);
    const written = writes.find((w) => w.stamp === stamp);
    // Nothing written yet is as good as a write before all others.
    const [since, until] = written === undefined ? [0, 0] : [written.startNs, written.endNs];
    const known = written !== undefined || stamp === 0;
    const overwritten = writes.some((w) => w.startNs > until && w.endNs < startNs);
    if (known && since <= endNs && !overwritten) return;
    const newest = writes.filter((w) => w.endNs < startNs).at(-1)?.stamp ?? 0;
    this.violations.push({ client, file, record, stamp, newest, virtualSeconds: endNs / 1e9 });
  }

  #of(file: string, record: number): Write[] {
    const key = `${file}#${record}`;
    let writes = this.#writes.get(key);
    if (writes === undefined) {
      writes = [];
      this.#writes.set(key, writes);
    }
    return writes;
  }
}

/** The stamp of a record whose bytes all carry it; -1 for a mixture of two. */
function stampIn(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const stamp = bytes.length < 4 ? 0 : view.getUint32(0);
  for (let at = 4; at + 4 <= bytes.length; at += 4) if (view.getUint32(at) !== stamp) return -1;
  return stamp;
}

function stamped(stamp: number): Uint8Array {
  const bytes = new Uint8Array(recordBytes);
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < recordBytes; at += 4) view.setUint32(at, stamp);
  return bytes;
}

export interface SharingOptions {
  readonly files: readonly string[];
  readonly recordsPerFile: number;
  readonly rounds: number;
  /** Longest think time between two rounds, and longest time that a file is held open. */
  readonly thinkNsMax: number;
}

/** One client's part: reads and writes at random times, now and then holding a file open. */
export function* shareFiles(
  sys: Calls,
  client: string,
  records: SharedRecords,
  random: RandomStream,
  o: SharingOptions,
): Task<void> {
  for (let round = 0; round < o.rounds; round++) {
    yield* sys.sleep(1 + random.below(o.thinkNsMax));
    const file = random.pick(o.files);
    const writing = random.chance(0.4);
    const fd = yield* sys.open(file, { read: true, write: writing });
    const uses = 1 + random.below(3);
    for (let use = 0; use < uses; use++) {
      const record = random.below(o.recordsPerFile);
      if (writing && random.chance(0.7)) yield* writeRecord(sys, records, fd, file, record);
      else yield* readRecord(sys, client, records, fd, file, record);
      if (random.chance(0.5)) yield* sys.sleep(1 + random.below(o.thinkNsMax));
    }
    yield* sys.close(fd);
  }
}

function* writeRecord(sys: Calls, records: SharedRecords, fd: Fd, file: string, record: number): Task<void> {
  const write = records.begin(file, record, yield* sys.time());
  yield* sys.writeAt(fd, record * recordBytes, stamped(write.stamp));
  write.endNs = yield* sys.time();
}

function* readRecord(
  sys: Calls,
  client: string,
  records: SharedRecords,
  fd: Fd,
  file: string,
  record: number,
): Task<void> {
  const startNs = yield* sys.time();
  const bytes = yield* sys.readAt(fd, record * recordBytes, recordBytes);
  records.check(client, file, record, bytes, startNs, yield* sys.time());
}
