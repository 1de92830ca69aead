import type { Task } from '@backplane/engine';
import { ms, sleep } from '@backplane/engine';
import { firstDifference } from '@backplane/file-service/testing';
import type { FileId } from '@backplane/slots';
import { decodeUtf8 } from '@backplane/wire';
import { describe, expect, it } from 'vitest';
import { trial, type World } from './world.ts';

const file = { type: 'file', mode: 0o644, uid: 0, gid: 0 } as const;
const bytesOf = (length: number, byte: number): Uint8Array => new Uint8Array(length).fill(byte);

/** A world with one file that is on the disk. */
function begun(latencyNs = 0): { readonly world: World; readonly old: FileId } {
  const world = trial.world({ segmentBytes: 32_768, sectors: 4096, latencyNs });
  world.attach();
  const old = world.run(
    (function* (): Task<FileId> {
      const { storage } = world;
      const f = yield* storage.create(storage.root, 'old', file);
      yield* storage.write(f, 0, bytesOf(20_000, 1), 'through');
      return f;
    })(),
  );
  return { world, old };
}

function* contentOf(world: World, name: string): Task<Uint8Array> {
  const { storage } = world;
  const f = yield* storage.lookup(storage.root, name);
  if (f === undefined) throw new Error(`${name} is gone`);
  return yield* storage.read(f, 0, 1_000_000);
}

describe('a disk that refuses writes', () => {
  it('is an error for who waits, and nothing is lost when it works again', () => {
    const { world, old } = begun();
    const { storage, disk } = world;
    const works = disk.addRule({ name: 'refuses', judge: (o) => (o === 'write' ? 'error' : 'pass') });
    expect(world.kindOf(storage.write(old, 0, bytesOf(20_000, 2), 'through'))).toBe('ioError');
    expect(firstDifference(world.run(contentOf(world, 'old')), bytesOf(20_000, 2))).toBe(-1);
    works();
    world.run(storage.sync());
    world.crash();
    world.attach();
    expect(firstDifference(world.run(contentOf(world, 'old')), bytesOf(20_000, 2))).toBe(-1);
    expect(world.check()).toEqual([]);
  });

  it('in one place for good is written elsewhere, by whoever waits or in its time', () => {
    const { world, old } = begun();
    const { storage, disk } = world;
    let bad = -1;
    disk.addRule({
      name: 'bad sector',
      judge: (o, sector, count) => {
        if (o === 'read') return 'pass';
        if (bad < 0) bad = sector + count - 1;
        return sector <= bad && bad < sector + count ? 'error' : 'pass';
      },
    });
    world.run(
      (function* (): Task<void> {
        const made = yield* storage.create(storage.root, 'new', file);
        yield* storage.write(made, 0, bytesOf(9000, 3), 'delayed');
        yield* storage.rename(storage.root, 'old', storage.root, 'older');
        yield* storage.write(old, 5000, bytesOf(3000, 4), 'delayed');
        yield* sleep(120_000_000_000);
      })(),
    );
    world.crash();
    world.attach();
    const expected = bytesOf(20_000, 1);
    expected.fill(4, 5000, 8000);
    expect(firstDifference(world.run(contentOf(world, 'older')), expected)).toBe(-1);
    expect(firstDifference(world.run(contentOf(world, 'new')), bytesOf(9000, 3))).toBe(-1);
    expect(world.check()).toEqual([]);
  });

  it('anywhere, once each, loses nothing that was confirmed', () => {
    for (let nth = 0; nth < 30; nth++) {
      const { world, old } = begun();
      const { storage, disk } = world;
      let writes = 0;
      disk.addRule({
        name: 'once',
        judge: (o) => (o === 'write' && writes++ === nth ? 'error' : 'pass'),
      });
      const confirmed = new Map<string, number>();
      for (let i = 0; i < 12; i++) {
        const name = `f${i % 4}`;
        const body = function* (): Task<void> {
          const there = yield* storage.lookup(storage.root, name);
          const f = there ?? (yield* storage.create(storage.root, name, file));
          yield* storage.write(f, 0, bytesOf(6000, i + 10), 'delayed');
          if (i % 3 === 2) yield* storage.checkpoint?.() ?? storage.sync();
          else yield* storage.sync(i % 2 === 0 ? f : undefined);
        };
        if (world.kindOf(body()) === 'ok') confirmed.set(name, i + 10);
        else confirmed.delete(name);
      }
      if (world.kindOf(storage.sync(old)) !== 'ok') world.run(storage.sync(old));
      world.crash();
      if (world.tryAttach() !== 'ok') world.attach();
      for (const [name, byte] of confirmed)
        expect(
          firstDifference(world.run(contentOf(world, name)), bytesOf(6000, byte)),
          `${nth} ${name}`,
        ).toBe(-1);
      expect(world.check()).toEqual([]);
    }
  });
});

describe('a sync that is given up', () => {
  it('leaves a symbolic link and its name together, for the next one to bring into the log', () => {
    const target = '/where/it/leads';
    const { world, old } = begun(ms(10));
    world.crash();
    world.attach();
    world.run(
      (function* (): Task<void> {
        const { storage } = world;
        yield* storage.create(storage.root, 'link', { ...file, type: 'symlink', target });
        yield* storage.write(old, 0, bytesOf(4096, 2), 'delayed');
        const reader = world.boot.spawn('reader', storage.read(old, 4096, 4096));
        yield* sleep(1);
        // It takes the link down, and waits for the old one, which is being read.
        const given = world.boot.spawn('sync', storage.sync());
        yield* sleep(1);
        expect([reader.ended, given.ended]).toEqual([false, false]);
        given.cancel();
        yield* reader.join();
        const third = yield* storage.create(storage.root, 'third', file);
        yield* storage.sync(third);
      })(),
    );
    world.crash();
    world.attach();
    expect(decodeUtf8(world.run(contentOf(world, 'link')))).toBe(target);
    expect(world.check()).toEqual([]);
  });
});
