import type { Task } from '@backplane/engine';
import { firstDifference } from '@backplane/file-service/testing';
import { isBackplaneError, type NewFile } from '@backplane/slots';
import { pattern } from '@backplane/slots/testing';
import { expect, it } from 'vitest';
import { ofsStorage } from '../src/index.ts';
import { trial } from './world.ts';

const plain: NewFile = { type: 'file', mode: 0o644, uid: 7, gid: 8 };

it('formats an empty disk when it is attached, without virtual time, and the result passes the audit', () => {
  const w = trial.world();
  w.attach();
  expect(w.engine.nowNs).toBe(0);
  expect(w.run(w.storage.entries(w.storage.root))).toEqual([]);
  w.reboot();
  expect(w.check()).toEqual([]);
  expect(w.run(w.storage.attributes(w.storage.root))).toMatchObject({
    type: 'directory',
    links: 2,
    sizeBytes: 512,
  });
});

it('keeps a file over a reboot', () => {
  const w = trial.world();
  w.attach();
  const bytes = pattern(10_000, 3);
  const f = w.run(
    (function* (): Task<Parameters<typeof w.storage.read>[0]> {
      const file = yield* w.storage.create(w.storage.root, 'a', plain);
      yield* w.storage.write(file, 0, bytes, 'delayed');
      return file;
    })(),
  );
  w.reboot();
  expect(w.check()).toEqual([]);
  expect(w.run(w.storage.lookup(w.storage.root, 'a'))).toEqual(f);
  expect(firstDifference(w.run(w.storage.read(f, 0, 20_000)), bytes)).toBe(-1);
  expect(w.run(w.storage.attributes(f))).toMatchObject({
    type: 'file',
    sizeBytes: 10_000,
    links: 1,
    uid: 7,
    gid: 8,
    mode: 0o644,
    version: 1,
  });
});

it('keys in the cache begin with the name of the board', () => {
  const w = trial.world();
  w.attach();
  w.run(w.storage.create(w.storage.root, 'a', plain));
  expect(w.cache.keys.length).toBeGreaterThan(1);
  for (const key of w.cache.keys) expect(key).toMatch(/^@backplane\/fs-ofs:0:/);
});

it('has to be attached before it is used', () => {
  const w = trial.world();
  let thrown: unknown;
  try {
    w.storage.usage();
  } catch (e) {
    thrown = e;
  }
  expect(isBackplaneError(thrown) && thrown.code).toBe('INVARIANT');
});

it('wants to be told which disk, where there are several', () => {
  const w = trial.world();
  const create = (disk: string | undefined, names: readonly string[]) =>
    ofsStorage(disk === undefined ? {} : { disk }).create(
      { disk: new Map(names.map((n) => [n, w.disk])), blockCache: w.cache } as never,
      { metrics: { register: () => () => {} } } as never, // boundary: all that is asked of it here
    );
  expect(() => create(undefined, ['0', '1'])).toThrow(/2 disks/);
  expect(() => create('2', ['0', '1'])).toThrow(/no disk "2"/);
  expect(() => create(undefined, [])).toThrow(/0 disks/);
  expect(() => create('disk.1', ['0', '1'])).not.toThrow();
  expect(() => create('1', ['0', '1'])).not.toThrow();
  expect(() => create(undefined, ['disk'])).not.toThrow();
});
