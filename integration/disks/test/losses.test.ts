/**
 * A file system goes on while drives of its array fail, are replaced and written again, and the power goes. `npm test` loses
 * two drives and tries one course of power failures; with BACKPLANE_FULL it is every drive, and 20 courses.
 */
import { seconds } from '@backplane/engine';
import { drive } from '@backplane/hw-disk';
import { nvram } from '@backplane/hw-nvram';
import { type DiskArray, raid } from '@backplane/hw-raid';
import type { Board, Disk } from '@backplane/slots';
import { describe, expect, it } from 'vitest';
import { allThere, churn, Server, type Store } from './server.ts';

const wren = (sectors = 5600): Board<'disk'> => drive({ profile: 'wren-iv', sectors });
const level5 = (of: string[]): Board<'disk'> =>
  raid({ level: 5, of, unitSectors: 16, strikeSeconds: 5, replaceSeconds: 10, rebuildShare: 0.5 });

const full = process.env['BACKPLANE_FULL'] !== undefined;
const seeds = full ? 20 : 1;

/** The board is an array: an experiment knows what it has composed. */
const asArray = (disk: Disk): DiskArray => disk as DiskArray;

const arrays: Readonly<Record<string, { readonly disk: readonly Board<'disk'>[]; readonly at: string }>> = {
  'parity over three Wrens': {
    disk: [level5(['disk.1', 'disk.2', 'disk.3']), wren(), wren(), wren()],
    at: 'disk.0',
  },
  'memory before parity over three Wrens': {
    disk: [nvram({ bytes: 65_536 }), level5(['disk.2', 'disk.3', 'disk.4']), wren(), wren(), wren()],
    at: 'disk.1',
  },
};

const both: readonly Store[] = ['ofs', 'lfs'];
const cases = both.flatMap((store) =>
  Object.entries(arrays).map(([name, array]) => [store, name, array] as const),
);

describe.each(cases)('%s on %s', (store, _, { disk, at }) => {
  it('goes on while a drive fails, somebody replaces it, and it is written again; then another one may fail', () => {
    const server = new Server(store, disk);
    const array = asArray(server.machine.board('disk', at));
    const random = server.cluster.engine.random('churn');
    const synced = new Map<string, number>();
    server.machine.scope.spawn('churn', churn(server.storage, random, synced, { next: 1 }));
    const members = disk.slice(full ? -3 : -2).map((__, i, all) => `disk.${disk.length - all.length + i}`);
    for (const member of members) {
      server.pass(seconds(5));
      const mend = server.breakDisk(member);
      // Somebody has tried to replace it by then, in vain.
      server.pass(seconds(15));
      expect(array.lost).toEqual([member]);
      mend();
      for (let i = 0; i < 120 && array.lost.length > 0; i++) server.pass(seconds(5));
      expect(array.lost).toEqual([]);
    }
    expect(server.run(allThere(server.storage, synced))).toBeGreaterThan(0);
    // Ends the work wherever it is; an orderly halt then leaves a sound disk.
    server.crash();
    server.reboot();
    expect(server.check()).toEqual([]);
    expect(server.metric('raid.server.losses')).toBe(members.length);
    expect(server.metric('raid.server.rowsRebuilt')).toBeGreaterThanOrEqual(members.length * 300);
  });

  it('has everything that was synced when the power fails, with all drives and with one that is lost', () => {
    let held = 0;
    for (let seed = 1; seed <= seeds; seed++) {
      const server = new Server(store, disk, seed);
      const array = asArray(server.machine.board('disk', at));
      const random = server.cluster.engine.random('churn');
      const synced = new Map<string, number>();
      const marks = { next: 1 };
      for (const lost of [false, true, true]) {
        server.machine.scope.spawn('churn', churn(server.storage, random, synced, marks));
        if (lost && array.lost.length === 0) server.breakDisk(`disk.${disk.length - 1}`);
        server.pass(seconds(5) + random.below(20e9));
        server.crash();
        expect(server.check(), `seed ${seed}`).toEqual([]);
        held += server.run(allThere(server.storage, synced));
        // Check units fit again before the next thing fails.
        server.pass(seconds(30));
      }
      expect(array.lost).toEqual([`disk.${disk.length - 1}`]);
    }
    expect(held).toBeGreaterThan(5);
  });
});

describe('programs that sync often', () => {
  it('wait for a disk without memory, and hardly write to one behind it', () => {
    const work = (
      store: Store,
      disk: readonly Board<'disk'>[],
    ): { readonly tookNs: number; readonly writes: number } => {
      const server = new Server(store, disk);
      const { storage } = server;
      const before = server.metric('disk.server.writes');
      const startNs = server.nowNs;
      server.run(
        (function* () {
          const f = yield* storage.create(storage.root, 'journal', {
            type: 'file',
            mode: 0o600,
            uid: 0,
            gid: 0,
          });
          for (let i = 0; i < 100; i++) {
            yield* storage.write(f, i * 50, new Uint8Array(50).fill(i), 'delayed');
            yield* storage.sync(f);
          }
        })(),
      );
      const tookNs = server.nowNs - startNs;
      server.pass(seconds(60));
      return { tookNs, writes: server.metric('disk.server.writes') - before };
    };
    for (const store of both) {
      const bare = work(store, [drive({ profile: 'wren-iv', sectors: 16_384 })]);
      const behind = work(store, [nvram(), drive({ profile: 'wren-iv', sectors: 16_384 })]);
      expect(bare.writes, store).toBeGreaterThanOrEqual(100);
      expect(behind.writes, store).toBeLessThan(bare.writes / 5);
      expect(behind.tookNs, store).toBeLessThan(bare.tookNs / 10);
    }
  });
});
