/** Bugs in what a storage tells its disk, or in the disk: writes that are lost, held back or put out of order. */
import { ofs, type StoreUnderTest } from '@backplane/crash';
import type { Task } from '@backplane/engine';
import { diskLabel, domainHeader } from '@backplane/fs-ofs';
import { type Disk, isKernelError } from '@backplane/slots';
import { withDisk } from './wrapped.ts';

interface Write {
  readonly sector: number;
  readonly data: Uint8Array;
}

/** Holds writes back until there are more than so many; reads see them. What is still held is lost with the power. */
function holding(
  d: Disk,
  o: { readonly most: number; readonly barrier: boolean; readonly order: 'first' | 'last' },
): Partial<Disk> {
  const held: Write[] = [];
  const let_ = function* (down: number): Task<void> {
    while (held.length > down) {
      const next = o.order === 'first' ? held.shift() : held.pop();
      if (next !== undefined) yield* d.write(next.sector, next.data);
    }
  };
  return {
    *write(sector, data) {
      held.push({ sector, data: data.slice() });
      if (held.length > o.most) yield* let_(o.order === 'first' ? o.most : 0);
    },
    *read(sector, count) {
      const bytes = (yield* d.read(sector, count)).slice();
      for (const w of held)
        for (let i = 0; i * d.sectorBytes < w.data.length; i++) {
          const at = w.sector + i - sector;
          if (at >= 0 && at < count)
            bytes.set(w.data.subarray(i * d.sectorBytes, (i + 1) * d.sectorBytes), at * d.sectorBytes);
        }
      return bytes;
    },
    *barrier() {
      if (o.barrier) yield* let_(0);
      yield* d.barrier();
    },
  };
}

/** Drops those writes of which this says so, and reports success. */
function dropping(d: Disk, drop: (w: Write, index: number) => boolean): Partial<Disk> {
  let index = 0;
  return {
    *write(sector, data) {
      if (!drop({ sector, data }, index++)) yield* d.write(sector, data);
    },
  };
}

/** For each storage. */
const anywhere: Readonly<Record<string, (d: Disk) => Partial<Disk>>> = {
  'the disk keeps the last writes to itself': (d) => holding(d, { most: 3, barrier: false, order: 'first' }),
  'every fifth write is lost': (d) => dropping(d, (_, i) => i % 5 === 4),
  'the end of long writes is lost': (d) => ({
    *write(sector, data) {
      const most = 4 * d.sectorBytes;
      yield* d.write(sector, data.length > most ? data.subarray(0, data.length - d.sectorBytes) : data);
    },
  }),
  'a failed write is reported as done': (d) => ({
    *write(sector, data) {
      try {
        yield* d.write(sector, data);
      } catch (e) {
        if (!isKernelError(e, 'ioError')) throw e;
      }
    },
  }),
  'what cannot be read is taken for zeros': (d) => ({
    *read(sector, count) {
      try {
        return yield* d.read(sector, count);
      } catch (e) {
        if (!isKernelError(e, 'ioError')) throw e;
        return new Uint8Array(count * d.sectorBytes);
      }
    },
  }),
  'a failed read ends the kernel': (d) => ({
    *read(sector, count) {
      try {
        return yield* d.read(sector, count);
      } catch (e) {
        throw isKernelError(e, 'ioError') ? new Error('cannot happen') : e;
      }
    },
  }),
  'the power comes back on another disk': (d) => {
    // Sectors that are far from the beginning are forgotten when it is switched on.
    const mine = new Set<number>();
    return {
      *write(sector, data) {
        for (let i = 0; i * d.sectorBytes < data.length; i++) mine.add(sector + i);
        yield* d.write(sector, data);
      },
      *read(sector, count) {
        const bytes = (yield* d.read(sector, count)).slice();
        for (let i = 0; i < count; i++)
          if (sector + i > 400 && !mine.has(sector + i))
            bytes.fill(0, i * d.sectorBytes, (i + 1) * d.sectorBytes);
        return bytes;
      },
    };
  },
};

/** Where the parts of an ofs disk begin, in sectors. */
function regions(d: Disk): { readonly descriptors: number; readonly maps: number; readonly data: number } {
  const label = diskLabel.decode(d.inspect(0, 1));
  const h = domainHeader.decode(d.inspect(label.domainSector, 1));
  return { descriptors: h.descriptorBlock * 8, maps: h.dataMapBlock * 8, data: h.dataBlock * 8 };
}

const isDescriptors = (d: Disk, w: Write): boolean => {
  const r = regions(d);
  return w.sector >= r.descriptors && w.sector < r.maps;
};

const inOfs: Readonly<Record<string, (d: Disk) => Partial<Disk>>> = {
  'ofs: two writes change places': (d) => holding(d, { most: 1, barrier: true, order: 'last' }),
  'ofs: every third block of descriptors is forgotten': (d) => {
    let blocks = 0;
    return dropping(d, (w) => isDescriptors(d, w) && ++blocks % 3 === 0);
  },
  'ofs: directories are not written': (d) =>
    dropping(d, (w) => {
      // A chunk of a directory begins with the entry ".".
      const text = String.fromCharCode(...w.data.subarray(0, 16));
      return w.sector >= regions(d).data && text.includes('.\0');
    }),
  'ofs: descriptors before what they lead to': (d) => {
    let held: Write[] = [];
    const flush = function* (): Task<void> {
      const all = held;
      held = [];
      for (const w of all) yield* d.write(w.sector, w.data);
    };
    const see = holding(d, { most: 0, barrier: true, order: 'first' });
    return {
      ...see,
      *write(sector, data) {
        const w = { sector, data: data.slice() };
        if (sector >= regions(d).data) {
          held.push(w);
          if (held.length > 6) yield* flush();
          return;
        }
        yield* d.write(sector, w.data);
        yield* flush();
      },
      *read(sector, count) {
        yield* flush();
        return yield* d.read(sector, count);
      },
      *barrier() {
        yield* flush();
        yield* d.barrier();
      },
    };
  },
};

const isRegion = (w: Write): boolean => String.fromCharCode(...w.data.subarray(0, 4)) === 'CHKP';

const inLfs: Readonly<Record<string, (d: Disk) => Partial<Disk>>> = {
  'lfs: barriers are forgotten': () => ({ *barrier() {} }),
  'lfs: every second barrier is forgotten': (d) => {
    let barriers = 0;
    return {
      *barrier() {
        if (++barriers % 2 === 1) yield* d.barrier();
      },
    };
  },
  'lfs: no checkpoint is written': (d) => dropping(d, isRegion),
  'lfs: no roll-forward': (d) => {
    // Until it has written something of its own, the log seems to be empty after the checkpoint.
    let recovering = true;
    return {
      *read(sector, count) {
        const bytes = yield* d.read(sector, count);
        const isSummary = String.fromCharCode(...bytes.subarray(0, 4)) === 'SUMM';
        return recovering && isSummary ? new Uint8Array(bytes.length) : bytes;
      },
      *write(sector, data) {
        recovering = false;
        yield* d.write(sector, data);
      },
    };
  },
  'lfs: a checkpoint before the blocks that it leads to': (d) => {
    let held: Write[] = [];
    const flush = function* (): Task<void> {
      const all = held;
      held = [];
      for (const w of all) yield* d.write(w.sector, w.data);
    };
    return {
      *write(sector, data) {
        const w = { sector, data: data.slice() };
        if (!isRegion(w)) {
          yield* flush();
          held.push(w);
          return;
        }
        yield* d.write(sector, w.data);
        yield* d.barrier();
        yield* flush();
      },
      *read(sector, count) {
        yield* flush();
        return yield* d.read(sector, count);
      },
      // It should wait for what was written before.
      *barrier() {
        yield* d.barrier();
      },
    };
  },
};

export function plantedInDisk(store: StoreUnderTest): readonly StoreUnderTest[] {
  const all = { ...anywhere, ...(store.name === ofs.name ? inOfs : inLfs) };
  return Object.entries(all).map(([name, wrap]) => withDisk(store, name, wrap));
}
