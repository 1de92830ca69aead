/** A disk as an array of numbered blocks, its sectors. File servers build files on it; nothing keeps them and us apart. */
import type { Task } from '@backplane/engine';
import { type Disk, KernelError, type Message, message, ReplyCode, wordOf } from '@backplane/slots';
import { attributeBits, type BlockPosition, CreateMode, UioAttribute, type UioObject } from '@backplane/uio';
import { DeviceFunction } from './functions.ts';

export class DiskObject implements UioObject {
  readonly attributes: number;
  readonly blockBytes: number;
  readonly lockKey: string;
  readonly #disk: Disk;

  /** @param mode bits of `CreateMode` */
  constructor(disk: Disk, name: string, mode: number) {
    this.#disk = disk;
    this.blockBytes = disk.sectorBytes;
    this.lockKey = name;
    this.attributes =
      attributeBits('storage', 'randomAccess', 'fixedLength', 'multiBlock', 'locking') |
      ((mode & CreateMode.read) !== 0 ? UioAttribute.readable : 0) |
      ((mode & CreateMode.write) !== 0 ? UioAttribute.writeable : 0);
  }

  *sizeBytes(): Task<number> {
    return this.#disk.sectors * this.#disk.sectorBytes;
  }

  *read({ block, first }: BlockPosition, count: number): Task<Uint8Array | null> {
    if ((this.attributes & UioAttribute.readable) === 0)
      throw new KernelError('badHandle', 'not for reading');
    const { sectors, sectorBytes } = this.#disk;
    const from = block + Math.floor(first / sectorBytes);
    if (from >= sectors) return null;
    const offset = first % sectorBytes;
    const wanted = Math.min(Math.ceil((offset + count) / sectorBytes), sectors - from);
    const bytes = wanted === 0 ? new Uint8Array(0) : yield* this.#disk.read(from, wanted);
    return bytes.subarray(offset, offset + count);
  }

  *write({ block, first }: BlockPosition, bytes: Uint8Array): Task<void> {
    if ((this.attributes & UioAttribute.writeable) === 0)
      throw new KernelError('badHandle', 'not for writing');
    if (first !== 0 || bytes.length % this.blockBytes !== 0)
      throw new KernelError('badArgument', 'a part of a sector');
    if (bytes.length > 0) yield* this.#disk.write(block, bytes);
  }

  *control(request: Message): Task<Message> {
    if (wordOf(request, 2) !== DeviceFunction.sync) throw new KernelError('unsupported', 'no such function');
    yield* this.#disk.barrier();
    return message({ code: ReplyCode.ok });
  }

  *release(): Task<void> {}
}
