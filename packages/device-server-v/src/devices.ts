/**
 * The devices of a machine by name, as its device server opens them.
 *
 *   name                     object
 *   none                     a directory of the others, a line for each
 *   disk/<board>             sectors
 *   ethernet/<board>/<type>  frames of one type, in decimal or as 0x...
 *   console                  a serial line
 *   mouse                    x, y, buttons
 */
import { type Disk, KernelError, type Machine, type Nic, type Processors } from '@backplane/slots';
import { CreateMode, type CreateRequest, Snapshot, type UioObject } from '@backplane/uio';
import { encodeUtf8 } from '@backplane/wire';
import { ConsoleObject, Line } from './console.ts';
import { DiskObject } from './disk.ts';
import { Mouse, MouseObject } from './mouse.ts';
import { PacketObject, Packets } from './packets.ts';

export interface DeviceParts {
  readonly disks: ReadonlyMap<string, Disk>;
  readonly nics: ReadonlyMap<string, Nic>;
  readonly processors: Processors;
  readonly machine: Machine;
  readonly inboxBlocks: number;
}

const typeMax = 0xffff;

export class Devices {
  readonly line: Line;
  readonly mouse: Mouse;
  readonly #disks: ReadonlyMap<string, Disk>;
  readonly #packets: ReadonlyMap<string, Packets>;

  constructor({ disks, nics, processors, machine, inboxBlocks }: DeviceParts) {
    this.#disks = disks;
    this.#packets = new Map(
      [...nics].map(([name, nic]) => [name, new Packets(nic, machine, processors, inboxBlocks)]),
    );
    this.line = new Line(machine, processors, inboxBlocks);
    this.mouse = new Mouse(machine, processors);
  }

  /** What came from outside and found nobody who had room for it. */
  get lost(): number {
    return [...this.#packets.values()].reduce((sum, p) => sum + p.dropped, this.line.lost);
  }

  /** @throws KernelError `notFound`; `busy` for frames that the kernel itself takes */
  open({ name, mode }: CreateRequest): UioObject {
    if ((mode & (CreateMode.append | CreateMode.truncate)) !== 0)
      throw new KernelError('unsupported', 'a device does not grow');
    const [kind, board = '', type = ''] = name.split('/');
    const disk = kind === 'disk' ? this.#disks.get(board) : undefined;
    const packets = kind === 'ethernet' ? this.#packets.get(board) : undefined;
    if (name === '') return this.#directory();
    if (name === 'console') return new ConsoleObject(this.line);
    if (name === 'mouse') return new MouseObject(this.mouse);
    if (disk !== undefined && type === '') return new DiskObject(disk, name, mode);
    if (packets !== undefined && isType(type)) return new PacketObject(packets, Number(type));
    throw new KernelError('notFound', name);
  }

  #directory(): UioObject {
    const names = [
      ...[...this.#disks.keys()].map((board) => `disk/${board}`),
      ...[...this.#packets.keys()].map((board) => `ethernet/${board}`),
      'console',
      'mouse',
    ];
    return new Snapshot(encodeUtf8(names.map((name) => `${name}\n`).join('')));
  }
}

const isType = (text: string): boolean =>
  /^(0x[0-9a-f]{1,4}|[0-9]{1,5})$/.test(text) && Number(text) <= typeMax;
