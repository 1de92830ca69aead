/**
 * A drive as kernels see it: checks, faults, the bytes, and the counts. When things happen is the mechanism's affair; a drive
 * without one does everything at once.
 *
 * Lost at power off: what waits, and what the buffer holds. The sector under the head is finished; those of the same write
 * before it are stored, those after it are not. Kept: the medium, the counts, and the rules, which are faults of the drive.
 */
import { settle, type Task, tasks } from '@backplane/engine';
import {
  Busy,
  type Disk,
  type DiskExtent,
  type DiskRule,
  type Machine,
  type Processors,
  type Undo,
} from '@backplane/slots';
import { Contents } from './contents.ts';
import { failed, noSuchSector, tooManySectors, wrongLength } from './errors.ts';
import { Mechanism } from './mechanism.ts';
import type { DriveProfile } from './profile.ts';
import { Request } from './request.ts';
import type { Policy } from './request-queue.ts';
import type {} from './trace-kinds.ts';

export interface DriveCounts {
  reads: number;
  writes: number;
  /** Read or written. */
  sectors: number;
}

export class Drive implements Disk {
  static {
    tasks(Drive);
  }

  readonly name: string;
  readonly sectorBytes: number = 512;
  readonly sectors: number;
  readonly counts: DriveCounts = { reads: 0, writes: 0, sectors: 0 };
  /** Null where the profile has none. */
  readonly mechanism: Mechanism | null;
  readonly #machine: Machine;
  readonly #contents: Contents;
  /** Replaced, never changed: a rule may take itself back while it judges. */
  #rules: readonly DiskRule[] = [];

  /**
   * @param processors null: nobody is interrupted
   * @param sectors that are used, from the first; 0: all
   */
  constructor(
    machine: Machine,
    processors: Processors | null,
    profile: DriveProfile,
    policy: Policy,
    sectors: number,
  ) {
    if (sectors > profile.sectors) throw tooManySectors(profile.name, sectors, profile.sectors);
    this.#machine = machine;
    this.name = `${profile.name} of ${machine.name}`;
    this.sectors = sectors === 0 ? profile.sectors : sectors;
    this.#contents = new Contents(this.sectorBytes);
    const { sectorBytes } = this;
    this.mechanism =
      profile.figures === null
        ? null
        : new Mechanism(
            machine.scope,
            profile.figures,
            {
              policy,
              sectors: this.sectors,
              sectorBytes,
              phase: (revolutionNs) => machine.random('disk.phase').below(revolutionNs),
              interrupt: (served) => {
                if (processors === null) served();
                else processors.interrupt(machine.type.costs.diskInterruptNs, Busy.files, served);
              },
            },
            (r) => this.#transfer(r),
          );
  }

  *read(sector: number, count: number): Task<Uint8Array> {
    const { bytes } = yield* this.#perform('read', sector, count, null);
    return bytes ?? new Uint8Array(0);
  }

  *write(sector: number, data: Uint8Array): Task<void> {
    const count = data.length / this.sectorBytes;
    if (!Number.isInteger(count) || count === 0) throw wrongLength(this.name, data.length, this.sectorBytes);
    yield* this.#perform('write', sector, count, data);
  }

  *barrier(): Task<void> {
    yield* settle();
    if (this.mechanism !== null) yield* this.mechanism.barrier();
    const { trace } = this.#machine.engine;
    if (trace.on) trace.emit('disk.barrier', this.#machine.scope, { disk: this.name });
  }

  inspect(sector: number, count: number): Uint8Array {
    this.#check(sector, count);
    return this.#contents.read(sector, count);
  }

  extents(): readonly DiskExtent[] {
    return this.#contents.extents().map(({ sector, data }) => ({
      sector,
      data: data.subarray(0, (this.sectors - sector) * this.sectorBytes),
    }));
  }

  addRule(rule: DiskRule): Undo {
    let added = true;
    this.#rules = [...this.#rules, rule];
    return () => {
      if (!added) return;
      added = false;
      this.#rules = this.#rules.toSpliced(this.#rules.indexOf(rule), 1);
    };
  }

  load(sector: number, data: Uint8Array): void {
    const count = data.length / this.sectorBytes;
    if (!Number.isInteger(count) || count === 0) throw wrongLength(this.name, data.length, this.sectorBytes);
    this.#check(sector, count);
    this.#contents.write(sector, count, data);
  }

  /** Power off. */
  reset(): void {
    const cut = this.mechanism?.reset();
    const data = cut?.request.data ?? null;
    if (cut === undefined || data === null) return;
    const { sector, count } = cut.request;
    this.#contents.write(sector, cut.begun, data);
    const { trace } = this.#machine.engine;
    if (trace.on)
      trace.emit('disk.cut', this.#machine.scope, { disk: this.name, sector, count, stored: cut.begun });
  }

  *#perform(
    operation: 'read' | 'write',
    sector: number,
    count: number,
    data: Uint8Array | null,
  ): Task<Request> {
    this.#check(sector, count);
    // The start of an I/O can be observed: what the caller has done so far has to be paid for first.
    yield* settle();
    const r = new Request(operation, sector, count, data, this.#machine.engine.nowNs);
    if (this.mechanism === null) this.#transfer(r);
    else {
      this.mechanism.submit(r);
      while (!r.ended) yield* r.whenEnded.wait();
    }
    if (r.failed) throw failed(this.name, operation, sector);
    return r;
  }

  /** The last sector has passed the head: now the bytes are where they go. */
  #transfer(r: Request): void {
    r.failed = this.#rules.some((rule) => rule.judge(r.operation, r.sector, r.count) === 'error');
    if (r.data === null) {
      this.counts.reads++;
      if (!r.failed) r.bytes = this.#contents.read(r.sector, r.count);
    } else {
      this.counts.writes++;
      // What a failed write leaves is unknown to its maker: here, half of it.
      this.#contents.write(r.sector, r.failed ? Math.floor(r.count / 2) : r.count, r.data);
    }
    this.counts.sectors += r.count;
    const { trace } = this.#machine.engine;
    if (trace.on) {
      const { operation, sector, count, queuedNs, startNs, seekNs, rotationNs, fromBuffer, failed } = r;
      trace.emit('disk.request', this.#machine.scope, {
        disk: this.name,
        operation,
        sector,
        count,
        queuedNs,
        startNs,
        seekNs,
        rotationNs,
        fromBuffer,
        failed,
      });
    }
  }

  /** @throws KernelError `noSuchSector` */
  #check(sector: number, count: number): void {
    if (
      !(Number.isInteger(sector) && Number.isInteger(count) && sector >= 0 && count > 0) ||
      sector + count > this.sectors
    )
      throw noSuchSector(this.name, sector, count, this.sectors);
  }
}
