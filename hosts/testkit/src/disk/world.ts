/** A machine with the disk under test and no file system. */
import type { RandomStream, Task, Thread } from '@backplane/engine';
import type { Disk } from '@backplane/slots';
import { alone } from '../neighbours.ts';
import { Rig } from '../rig.ts';
import type { Bounds } from './under-test.ts';

export class World {
  readonly rig: Rig;
  /** Survives crashes: the same in all boots. */
  readonly disk: Disk;

  constructor({ disk, of }: Pick<Bounds, 'disk' | 'of'>, seed = 1) {
    this.rig = new Rig({ server: alone().with({ disk: [disk, ...of] }) }, { seed });
    this.disk = this.rig.machine('server').board('disk', 'disk.0');
  }

  get random(): RandomStream {
    return this.rig.cluster.engine.random('requests of a check');
  }

  run<T>(body: (disk: Disk) => Task<T>): T {
    return this.rig.on('server', () => body(this.disk));
  }

  start<T>(body: Task<T>): Thread<T> {
    return this.rig.spawn('server', body);
  }

  /** So many sectors full of one value. */
  full(count: number, value: number): Uint8Array {
    return new Uint8Array(count * this.disk.sectorBytes).fill(value);
  }

  /** The value that a whole sector has on the medium; -1 for one that is mixed. */
  valueOf(sector: number): number {
    const bytes = this.disk.inspect(sector, 1);
    const [first = -1] = bytes;
    return bytes.every((b) => b === first) ? first : -1;
  }
}
