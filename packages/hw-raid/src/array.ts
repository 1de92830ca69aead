/**
 * A disk array as kernels see it: one disk. Checks, rules and counts are here, and what a dump or an image sees; what
 * happens under virtual time is the controller's affair, of which each power on has a new one.
 */
import { type Scope, settle, type Task, tasks } from '@backplane/engine';
import type { Disk, DiskExtent, DiskRule, Machine, Undo } from '@backplane/slots';
import { AtRest } from './at-rest.ts';
import { Controller, type ControllerCounts, type ControllerOptions } from './controller.ts';
import { failed, noSuchMember, noSuchSector, wrongLength } from './errors.ts';
import type { Geometry } from './geometry.ts';

/** What an array is besides a disk. */
export interface DiskArray extends Disk {
  /** Instances of members that are lost, `disk.2` among them also while it is being rebuilt. */
  readonly lost: readonly string[];
  /**
   * Says that a lost member has been replaced: its rows are written again in the background, from the others, while requests
   * go on. Returns whether it counts again; false when it has failed once more. A crash ends it; it then begins anew.
   */
  rebuild(member: string): Task<boolean>;
}

const sectorBytes = 512;

export class RaidArray implements DiskArray {
  static {
    tasks(RaidArray);
  }

  readonly name: string;
  readonly sectorBytes: number = sectorBytes;
  readonly sectors: number;
  readonly counts: ControllerCounts;
  readonly #machine: Machine;
  readonly #geometry: Geometry;
  readonly #members: ReadonlyMap<string, Disk>;
  readonly #options: ControllerOptions;
  #scope: Scope;
  #controller: Controller;
  #atRest: AtRest;
  /** Replaced, never changed: a rule may take itself back while it judges. */
  #rules: readonly DiskRule[] = [];

  constructor(
    machine: Machine,
    members: ReadonlyMap<string, Disk>,
    geometry: Geometry,
    options: ControllerOptions,
    counts: ControllerCounts,
  ) {
    this.#machine = machine;
    this.#members = members;
    this.#geometry = geometry;
    this.#options = options;
    this.name = `raid${geometry.level} of ${machine.name}`;
    this.sectors = geometry.sectors;
    this.counts = counts;
    this.#scope = machine.scope.child('raid');
    this.#controller = this.#powerOn();
    this.#atRest = this.#seen();
  }

  get lost(): readonly string[] {
    const instances = [...this.#members.keys()];
    return [...this.#controller.members.lost].sort((a, b) => a - b).flatMap((m) => instances[m] ?? []);
  }

  *read(sector: number, count: number): Task<Uint8Array> {
    this.#check(sector, count);
    yield* settle();
    if (this.#refused('read', sector, count)) throw failed(this.name, 'read', sector);
    const bytes = yield* this.#controller.read(sector, count);
    if (bytes === null) throw failed(this.name, 'read', sector);
    return bytes;
  }

  *write(sector: number, data: Uint8Array): Task<void> {
    const count = this.#wholeSectors(sector, data);
    yield* settle();
    if (this.#refused('write', sector, count)) throw failed(this.name, 'write', sector);
    if (!(yield* this.#controller.write(sector, data))) throw failed(this.name, 'write', sector);
  }

  *barrier(): Task<void> {
    yield* settle();
    yield* this.#controller.barrier();
  }

  *rebuild(member: string): Task<boolean> {
    const index = [...this.#members.keys()].indexOf(member);
    if (index < 0) throw noSuchMember(this.name, member, [...this.#members.keys()]);
    return yield* this.#controller.rebuild(index);
  }

  inspect(sector: number, count: number): Uint8Array {
    this.#check(sector, count);
    return this.#atRest.read(sector, count);
  }

  extents(): readonly DiskExtent[] {
    return this.#atRest.extents();
  }

  load(sector: number, data: Uint8Array): void {
    this.#wholeSectors(sector, data);
    this.#atRest.load(sector, data);
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

  /** Power off. The members have been reset before. */
  reset(): void {
    this.#scope.crash();
    this.#scope = this.#machine.scope.child('raid');
    this.#controller = this.#powerOn();
    this.#atRest = this.#seen();
  }

  #powerOn(): Controller {
    return new Controller(
      this.#scope,
      [...this.#members.values()],
      this.#geometry,
      this.#options,
      this.counts,
    );
  }

  #seen(): AtRest {
    return new AtRest([...this.#members.values()], this.#geometry, this.#controller);
  }

  #refused(operation: 'read' | 'write', sector: number, count: number): boolean {
    return this.#rules.some((rule) => rule.judge(operation, sector, count) === 'error');
  }

  #wholeSectors(sector: number, data: Uint8Array): number {
    const count = data.length / sectorBytes;
    if (!Number.isInteger(count) || count === 0) throw wrongLength(this.name, data.length, sectorBytes);
    this.#check(sector, count);
    return count;
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
