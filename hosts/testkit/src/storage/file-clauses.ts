/** Bytes and attributes of one file. */
import { ms, sleep } from '@backplane/engine';
import { type AttributeChange, fileTypes, type NewFile } from '@backplane/slots';
import { kindOf, pattern } from '@backplane/slots/testing';
import { digest, filled } from '../bytes.ts';
import { type Check, holds, same, within } from '../check.ts';
import type { Bounds } from './under-test.ts';
import { contentOf, fails, plainDirectory, plainFile, remove, sameFile, tried } from './world.ts';

export const fileClauses = ({ boards }: Bounds): readonly Check[] => [
  {
    name: 'a new object has the attributes that it was made with, of every type',
    run: () =>
      tried(boards, function* (s) {
        yield* sleep(ms(5));
        for (const [i, type] of fileTypes.entries()) {
          const target = type === 'symlink' || type === 'remoteLink' ? '/some/where' : undefined;
          const device = type === 'device' ? { host: 3, type: 2, unit: 9 } : undefined;
          const made: NewFile = {
            type,
            mode: 0o4700 + i,
            uid: i,
            gid: 100 + i,
            ...(target !== undefined && { target }),
            ...(device !== undefined && { device }),
          };
          const f = yield* s.create(s.root, `a ${type}`, made);
          const a = yield* s.attributes(f);
          same(
            `attributes of a ${type}`,
            [a.type, a.mode, a.uid, a.gid, a.links],
            [type, made.mode, i, 100 + i, type === 'directory' ? 2 : 1],
          );
          if (device !== undefined) same('where the device is', { ...a.device }, device);
          if (target !== undefined)
            same(
              'content of a link',
              digest(yield* contentOf(s, f)),
              digest(new TextEncoder().encode(target)),
            );
          else if (type !== 'directory') same(`bytes in a new ${type}`, a.sizeBytes, 0);
          for (const [time, ns] of Object.entries({
            created: a.createNs,
            modified: a.modifyNs,
            changed: a.changeNs,
          }))
            within(`milliseconds at which a ${type} was ${time}`, ns / 1e6, 5, 1000);
        }
      }),
  },
  {
    name: 'setAttributes sets what it is given and leaves the rest',
    run: () =>
      tried(boards, function* (s) {
        const f = yield* s.create(s.root, 'f', plainFile);
        yield* s.write(f, 0, pattern(100, 1), 'delayed');
        const changes: AttributeChange[] = [
          { mode: 0o7321 },
          { uid: 11 },
          { gid: 12 },
          { version: 99 },
          { modifyNs: 3e9, accessNs: 5e9 },
          { changeNs: 4e9, createNs: 6e9 },
        ];
        let expected = yield* s.attributes(f);
        for (const change of changes) {
          yield* s.setAttributes(f, change);
          expected = { ...expected, ...change };
          same(
            `after ${Object.keys(change)}`,
            { ...(yield* s.attributes(f)) } as never,
            { ...expected } as never,
          );
        }
      }),
  },
  {
    name: 'a write tells when the file was modified, and a read when it was read',
    run: () =>
      tried(boards, function* (s) {
        const f = yield* s.create(s.root, 'f', plainFile);
        yield* sleep(ms(10_000));
        yield* s.write(f, 0, pattern(100, 1), 'delayed');
        yield* sleep(ms(10_000));
        yield* s.read(f, 0, 100);
        const { modifyNs, accessNs } = yield* s.attributes(f);
        within('seconds of the write', modifyNs / 1e9, 10, 15);
        within('seconds of the read', accessNs / 1e9, 20, 25);
      }),
  },
  {
    name: 'a read brings what was written, and fewer bytes at the end of the file',
    run: () =>
      tried(boards, function* (s) {
        const size = 5 * s.blockBytes + 77;
        const bytes = pattern(size, 3);
        const f = yield* s.create(s.root, 'f', plainFile);
        yield* s.write(f, 0, bytes, 'delayed');
        for (const at of [
          0,
          1,
          s.blockBytes - 1,
          s.blockBytes,
          2 * s.blockBytes + 5,
          size - 1,
          size,
          size + 1,
        ])
          for (const count of [0, 1, 500, s.blockBytes, 3 * s.blockBytes, size])
            same(
              `${count} bytes from ${at}`,
              digest(yield* s.read(f, at, count)),
              digest(bytes.subarray(at, at + count)),
            );
      }),
  },
  {
    name: 'a write changes the bytes that it is given and no others',
    run: () =>
      tried(boards, function* (s) {
        const f = yield* s.create(s.root, 'f', plainFile);
        const expected = pattern(4 * s.blockBytes, 1);
        yield* s.write(f, 0, expected, 'delayed');
        for (const [i, at] of [0, 10, s.blockBytes - 3, 2 * s.blockBytes, 3 * s.blockBytes - 700].entries()) {
          const bytes = pattern(6 + i * 333, 40 + i);
          yield* s.write(f, at, bytes, i % 2 === 0 ? 'delayed' : 'through');
          expected.set(bytes, at);
          same(`after a write at ${at}`, digest(yield* contentOf(s, f)), digest(expected));
        }
      }),
  },
  {
    name: 'a gap reads as zeros',
    run: () =>
      tried(boards, function* (s) {
        const f = yield* s.create(s.root, 'f', plainFile);
        yield* s.write(f, 0, filled(10, 9), 'delayed');
        const at = 70 * s.blockBytes + 5;
        yield* s.write(f, at, filled(10, 8), 'delayed');
        same('size', (yield* s.attributes(f)).sizeBytes, at + 10);
        same('the gap', digest(yield* s.read(f, 10, at - 10)), digest(new Uint8Array(at - 10)));
        same('after it', digest(yield* s.read(f, at, 100)), digest(filled(10, 8)));
      }),
  },
  {
    name: 'truncate cuts, and extends with zeros: what was cut off does not come back',
    run: () =>
      tried(boards, function* (s) {
        for (const cut of [0, 1, s.blockBytes - 1, s.blockBytes, s.blockBytes + 700]) {
          const f = yield* s.create(s.root, `cut at ${cut}`, plainFile);
          yield* s.write(f, 0, filled(3 * s.blockBytes, 5), 'delayed');
          yield* s.truncate(f, cut);
          same(`cut at ${cut}`, digest(yield* contentOf(s, f)), digest(filled(cut, 5)));
          yield* s.truncate(f, 4 * s.blockBytes);
          const expected = new Uint8Array(4 * s.blockBytes);
          expected.fill(5, 0, cut);
          same(`cut at ${cut} and extended`, digest(yield* contentOf(s, f)), digest(expected));
        }
      }),
  },
  {
    name: 'bytes that were read do not change when the file does',
    run: () =>
      tried(boards, function* (s) {
        const f = yield* s.create(s.root, 'f', plainFile);
        const before = pattern(2 * s.blockBytes, 1);
        yield* s.write(f, 0, before.slice(), 'delayed');
        const read = [yield* s.read(f, 0, 100), yield* s.read(f, 0, 2 * s.blockBytes)];
        yield* s.write(f, 0, filled(2 * s.blockBytes, 77), 'through');
        yield* s.truncate(f, 3);
        for (const bytes of read)
          same('what was read', digest(bytes), digest(before.subarray(0, bytes.length)));
      }),
  },
  {
    name: 'beyond the largest file is tooLarge, for a write and for truncate',
    run: () =>
      tried(boards, function* (s) {
        const f = yield* s.create(s.root, 'f', plainFile);
        yield* fails('a write', s.write(f, s.fileBytesMax - 5, filled(6, 1), 'delayed'), 'tooLarge');
        yield* fails('truncate', s.truncate(f, s.fileBytesMax + 1), 'tooLarge');
        same('size', (yield* s.attributes(f)).sizeBytes, 0);
      }),
  },
  {
    name: 'a full storage answers noSpace, keeps what it has, and takes more when something was freed',
    run: () =>
      tried(boards, function* (s) {
        const { blocksFree } = s.usage();
        holds('it has at most 64 MB, so that it can be filled', blocksFree * s.blockBytes <= 64 << 20);
        const chunk = pattern(64 * s.blockBytes, 1);
        let kind: string = 'ok';
        let files = 0;
        for (; kind === 'ok' && files < 5000; files++) {
          const f = yield* s.create(s.root, `f${files}`, plainFile);
          for (let at = 0; kind === 'ok' && at < 4; at++)
            kind = yield* kindOf(s.write(f, at * chunk.length, chunk, 'delayed'));
        }
        same('it ends with', kind, 'noSpace');
        const first = yield* s.lookup(s.root, 'f0');
        holds('the first file is there', first !== undefined);
        if (first === undefined) return;
        same('its first bytes', digest(yield* s.read(first, 0, chunk.length)), digest(chunk));
        for (let i = 1; i < files; i++) yield* remove(s, s.root, `f${i}`);
        const f = yield* s.create(s.root, 'after', plainFile);
        yield* s.write(f, 0, chunk, 'through');
        same('after', digest(yield* contentOf(s, f)), digest(chunk));
      }),
  },
  {
    name: 'usage tells of blocks and files that are taken, and of those that were freed',
    run: () =>
      tried(boards, function* (s) {
        const before = s.usage();
        same('bytes of a block', before.blockBytes, s.blockBytes);
        const f = yield* s.create(s.root, 'f', plainFile);
        yield* s.write(f, 0, pattern(20 * s.blockBytes, 1), 'delayed');
        yield* s.sync();
        const taken = s.usage();
        within('blocks taken', before.blocksFree - taken.blocksFree, 20, 25);
        same('files taken', before.filesFree - taken.filesFree, 1);
        yield* remove(s, s.root, 'f');
        yield* s.sync();
        const after = s.usage();
        within('blocks still taken', before.blocksFree - after.blocksFree, 0, 5);
        same('files still taken', before.filesFree - after.filesFree, 0);
      }),
  },
  {
    name: 'unlink frees nothing: the file is read and written until it is reclaimed',
    run: () =>
      tried(boards, function* (s) {
        const f = yield* s.create(s.root, 'f', plainFile);
        yield* s.write(f, 0, pattern(9000, 1), 'delayed');
        const { linksLeft } = yield* s.unlink(s.root, 'f', { directory: false });
        same('links left', linksLeft, 0);
        yield* s.sync();
        yield* s.write(f, 9000, pattern(9000, 2), 'delayed');
        same('what was there', digest(yield* s.read(f, 0, 9000)), digest(pattern(9000, 1)));
        same('what was added', digest(yield* s.read(f, 9000, 9000)), digest(pattern(9000, 2)));
        same('links', (yield* s.attributes(f)).links, 0);
      }),
  },
  {
    name: 'a reclaimed file is stale for every operation, also when its number is used again',
    run: () =>
      tried(boards, function* (s) {
        const olds = [];
        for (let i = 0; i < 6; i++) {
          const type = i % 2 === 0 ? plainFile : plainDirectory;
          const f = yield* s.create(s.root, 'f', type);
          for (const old of olds) holds('a new file has another identity', !sameFile(old, f));
          yield* remove(s, s.root, 'f', type.type === 'directory');
          olds.push(f);
        }
        yield* s.create(s.root, 'other', plainFile);
        for (const f of olds) {
          yield* fails('attributes', s.attributes(f), 'stale');
          yield* fails('setAttributes', s.setAttributes(f, { mode: 0 }), 'stale');
          yield* fails('read', s.read(f, 0, 1), 'stale');
          yield* fails('write', s.write(f, 0, filled(1, 1), 'delayed'), 'stale');
          yield* fails('truncate', s.truncate(f, 0), 'stale');
          yield* fails('lookup', s.lookup(f, 'x'), 'stale');
          yield* fails('entries', s.entries(f), 'stale');
          yield* fails('create', s.create(f, 'x', plainFile), 'stale');
          yield* fails('link', s.link(s.root, 'x', f), 'stale');
          yield* fails('unlink', s.unlink(f, 'x', { directory: false }), 'stale');
          yield* fails('rename', s.rename(f, 'x', s.root, 'y'), 'stale');
          yield* fails('reclaim', s.reclaim(f), 'stale');
        }
      }),
  },
];
