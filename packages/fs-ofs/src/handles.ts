/**
 * The files in use, by number. A handle stays as long as something of it waits to go to the disk; of the others those leave,
 * when there are many, that nobody has held since the last time.
 */

import { type Task, tasks } from '@backplane/engine';
import { damaged } from '@backplane/file-service';
import { type FileId, KernelError } from '@backplane/slots';
import { type Descriptor, decodeDescriptor, generationAt } from './descriptor.ts';
import { descriptorBlockOf } from './geometry.ts';
import { Handle } from './handle.ts';
import { descriptorBytes, descriptorsPerBlock, rootNumber } from './layouts.ts';
import type { Volume } from './volume.ts';

const handlesMax = 2048;

export class Handles {
  static {
    tasks(Handles);
  }

  readonly #volume: Volume;
  readonly #writeDelayNs: number;
  readonly #table = new Map<number, Handle>();
  #evictAbove = handlesMax;

  constructor(volume: Volume, writeDelayNs: number) {
    this.#volume = volume;
    this.#writeDelayNs = writeDelayNs;
  }

  /** All that are in the table. */
  get all(): readonly Handle[] {
    return [...this.#table.values()];
  }

  /** The handle of a file in use, until `release`; undefined for another, which `hold` gets. */
  tryHold(f: FileId): Handle | undefined {
    const h = this.#table.get(f.number);
    if (h === undefined || h.gone || h.id.generation !== f.generation || f.domain !== h.id.domain)
      return undefined;
    h.used = true;
    h.users++;
    return h;
  }

  /** The handle of a file, until `release`. @throws KernelError `stale`, `ioError` */
  *hold(f: FileId): Task<Handle> {
    if (f.domain !== this.#volume.domain || !this.#isNumber(f.number)) throw new KernelError('stale');
    const h = yield* this.#get(f.number);
    if (h === undefined || h.gone || h.id.generation !== f.generation) throw new KernelError('stale');
    h.users++;
    return h;
  }

  /** The handle of the file that a directory leads to. @throws KernelError `ioError` when there is none */
  *holdEntry(number: number): Task<Handle> {
    const h = this.#isNumber(number) ? yield* this.#get(number) : undefined;
    if (h === undefined || h.gone) throw damaged('entry that leads nowhere');
    h.users++;
    return h;
  }

  release(h: Handle): void {
    h.users--;
    if (this.#table.size > this.#evictAbove) this.#evict();
  }

  /** A file that has just been made; held. */
  enter(number: number, descriptor: Descriptor): Handle {
    const id = { domain: this.#volume.domain, number, generation: descriptor.generation };
    const h = this.#make(id, descriptor, false);
    h.users++;
    return h;
  }

  forget(h: Handle): void {
    if (this.#table.get(h.id.number) === h) this.#table.delete(h.id.number);
    h.object.release();
  }

  /** The identifier of a file in use; undefined for another, which `identify` finds. */
  tryIdentify(number: number): FileId | undefined {
    const known = this.#table.get(number);
    return known?.gone === false ? known.id : undefined;
  }

  /** The identifier of a file that a directory leads to, without holding it; undefined when it leads nowhere. */
  *identify(number: number): Task<FileId | undefined> {
    const known = this.#table.get(number);
    if (known !== undefined) return known.gone ? undefined : known.id;
    const d = this.#isNumber(number) ? yield* this.#read(number) : undefined;
    if (d === undefined) return undefined;
    return { domain: this.#volume.domain, number, generation: d.generation };
  }

  /** The generation that a free number had last. */
  *lastGeneration(number: number): Task<number> {
    const bytes = yield* this.#volume.metas.at(descriptorBlockOf(this.#volume.geometry, number)).read();
    return generationAt(bytes, (number % descriptorsPerBlock) * descriptorBytes);
  }

  #isNumber(n: number): boolean {
    return Number.isInteger(n) && n >= rootNumber && n < this.#volume.geometry.descriptors;
  }

  *#get(number: number): Task<Handle | undefined> {
    let h = this.#table.get(number);
    if (h === undefined) {
      const descriptor = yield* this.#read(number);
      // Meanwhile somebody else may have read it, too.
      h = this.#table.get(number);
      if (h === undefined && descriptor !== undefined)
        h = this.#make(
          { domain: this.#volume.domain, number, generation: descriptor.generation },
          descriptor,
          true,
        );
    }
    if (h !== undefined) h.used = true;
    return h;
  }

  *#read(number: number): Task<Descriptor | undefined> {
    const block = this.#volume.metas.at(descriptorBlockOf(this.#volume.geometry, number));
    const bytes = yield* block.read();
    const d = decodeDescriptor(bytes, (number % descriptorsPerBlock) * descriptorBytes);
    if (d === 'damaged') throw damaged(`descriptor ${number}`);
    return d === 'free' ? undefined : d;
  }

  #make(id: FileId, descriptor: Descriptor, stored: boolean): Handle {
    const h = new Handle(this.#volume, id, descriptor, { stored, writeDelayNs: this.#writeDelayNs });
    this.#table.set(id.number, h);
    return h;
  }

  /** Lets those go that nobody has held since the last time and the disk has all of; the rest are many for a while. */
  #evict(): void {
    for (const [number, h] of this.#table) {
      if (this.#table.size <= handlesMax) break;
      const leaves = !h.used && mayLeave(h);
      h.used = false;
      if (!leaves) continue;
      this.#table.delete(number);
      h.object.release();
    }
    this.#evictAbove = Math.max(handlesMax, Math.floor(this.#table.size * 1.25));
  }
}

/** Names that the disk may not have yet are remembered by the file that they lead to. */
const mayLeave = (h: Handle): boolean =>
  h.users === 0 && !h.gone && h.descriptor.links > 0 && h.clean && [...h.named].every((d) => d.clean);
