import { seconds, sleep, type Task } from '@backplane/engine';
import { describe, expect, it } from 'vitest';
import type { SpriteCacheOptions } from '../src/index.ts';
import { bytes, type TestHost, World } from './world.ts';

const block = 'b'.repeat(4096);
/** Requests of a kind that reached the server since the log was cleared. */
const calls = (w: World, kind: string): number => w.net.log.filter((l) => l.startsWith(`${kind} `)).length;

describe('reading', () => {
  it('fetches whole blocks, once', () => {
    const w = new World();
    const seen = w.drive(function* () {
      yield* w.server.put('/f', `${block + block}end`);
      const f = yield* w[0].open('/f', { read: true });
      w.net.log.length = 0;
      const s = [yield* f.read(10, 5), yield* f.read(4090, 10), yield* f.read(8190, 100)];
      return [s, calls(w, 'read'), yield* f.read(0), calls(w, 'read')];
    });
    expect(seen).toEqual([['bbbbb', 'b'.repeat(10), 'bbend'], 3, `${block + block}end`, 3]);
    expect(w[0].metric('bytesFetched')).toBe(8195);
  });

  it('asks nobody at the end of a cached file', () => {
    const w = new World();
    const seen = w.drive(function* () {
      yield* w.server.put('/f', 'x');
      const f = yield* w[0].open('/f', { read: true });
      w.net.log.length = 0;
      return [yield* f.read(1, 10), yield* f.read(5000, 10), w.net.log.length];
    });
    expect(seen).toEqual(['', '', 0]);
  });

  it('finds the blocks of an earlier open by their version', () => {
    const w = new World();
    const seen = w.drive(function* () {
      yield* w.server.put('/f', block);
      yield* w[0].get('/f');
      w.net.log.length = 0;
      yield* w[0].get('/f');
      const again = calls(w, 'read');
      yield* w.server.put('/f', 'B');
      yield* w[0].get('/f');
      return [again, calls(w, 'read'), w[0].metric('versionMisses')];
    });
    expect(seen).toEqual([0, 1, 1]);
  });

  it('is refused of a directory', () => {
    const w = new World();
    w.drive(function* () {
      const d = yield* w[0].open('/', { read: true });
      let kind = '';
      try {
        yield* d.read();
      } catch (e) {
        kind = (e as { kind: string }).kind;
      }
      expect(kind).toBe('isDirectory');
      yield* d.close();
    });
  });
});

describe('writing', () => {
  it('fetches a block only if bytes of it matter that are not overwritten', () => {
    const w = new World();
    const fetches = w.drive(function* () {
      yield* w.server.put('/f', `${block}tail`);
      const f = yield* w[0].open('/f', { write: true });
      w.net.log.length = 0;
      const n: number[] = [];
      yield* f.write('x'.repeat(4096), 0); // a whole block
      n.push(calls(w, 'read'));
      yield* f.write('TAIL+', 4096); // all that there is of it
      n.push(calls(w, 'read'));
      yield* f.write('new', 8192); // beyond the end
      n.push(calls(w, 'read'));
      yield* f.close();
      yield* w.server.put('/g', block);
      const g = yield* w[0].open('/g', { write: true });
      yield* g.write('mid', 100);
      n.push(calls(w, 'read'));
      return n;
    });
    expect(fetches).toEqual([0, 0, 0, 1]);
  });

  it('makes holes of zeros, here and at the server', () => {
    const w = new World();
    const seen = w.drive(function* () {
      const f = yield* w[0].open('/f', { read: true, write: true, create: true });
      yield* f.write('a');
      yield* f.write('z', 9000);
      const here = yield* f.read();
      yield* f.close();
      return [here.length, here === (yield* w[1].get('/f')), here.replaceAll('\0', '')];
    });
    expect(seen).toEqual([9001, true, 'az']);
  });

  it('appends at the end, wherever that is', () => {
    const w = new World();
    const seen = w.drive(function* () {
      const f = yield* w[0].open('/f', { write: true, create: true, append: true });
      const g = yield* w[0].open('/f', { write: true, append: true });
      const ends = [
        yield* f.write('one', 'end'),
        yield* g.write('two', 'end'),
        yield* f.write('three', 'end'),
      ];
      yield* f.close();
      yield* g.close();
      return [ends, yield* w[1].get('/f')];
    });
    expect(seen).toEqual([[3, 6, 11], 'onetwothree']);
  });

  it('keeps concurrent writers of one host from tearing each other’s appends', () => {
    const w = new World();
    const content = w.drive(function* () {
      yield* w[0].put('/f', '');
      const writer = function* (c: string): Task<void> {
        const f = yield* w[0].open('/f', { write: true });
        for (let i = 0; i < 5; i++) yield* f.write(c.repeat(5000), 'end');
        yield* f.close();
      };
      const threads = ['a', 'b'].map((c) => w[0].spawn(writer(c)));
      for (const t of threads) yield* t.join();
      return yield* w[1].get('/f');
    });
    expect(content.length).toBe(50_000);
    expect(content.match(/a+|b+/g)?.every((run) => run.length % 5000 === 0)).toBe(true);
  });
});

describe('when dirty blocks leave', () => {
  const written = (w: World): number => w.server.storage?.writes.length ?? 0;
  function* dirty(host: TestHost, path = '/f'): Task<void> {
    const f = yield* host.open(path, { write: true, create: true });
    yield* f.write('dirty');
    yield* f.close();
  }

  it('30 to 35 seconds after they were written, unless somebody asks', () => {
    const w = new World();
    const seen = w.drive(function* () {
      yield* dirty(w[0]);
      yield* sleep(seconds(29));
      const before = written(w);
      yield* sleep(seconds(6));
      return [before, written(w)];
    });
    expect(seen).toEqual([0, 1]);
  });

  it('as the policy says', () => {
    const leaves = (options: SpriteCacheOptions): readonly [number, number, number] => {
      const w = new World({ options });
      return w.drive(function* () {
        const f = yield* w[0].open('/f', { write: true, create: true });
        yield* f.write('dirty');
        const atWrite = written(w);
        yield* f.close();
        const atClose = written(w);
        yield* sleep(seconds(3));
        return [atWrite, atClose, written(w)] as const;
      });
    };
    expect(leaves({ policy: 'write-through' })).toEqual([1, 1, 1]);
    expect(leaves({ policy: 'write-back-on-close' })).toEqual([0, 1, 1]);
    expect(leaves({ policy: 'asap' })).toEqual([0, 0, 1]);
    expect(leaves({ policy: 'delay' })).toEqual([0, 0, 0]);
    expect(leaves({ policy: 'full-delay' })).toEqual([0, 0, 0]);
  });

  it('after as many seconds as are set', () => {
    const w = new World({ options: { delaySeconds: 3 } });
    const seen = w.drive(function* () {
      yield* dirty(w[0]);
      yield* sleep(seconds(9));
      return written(w);
    });
    expect(seen).toBe(1);
  });

  it('never by themselves below a temporary prefix, whatever the policy, but others still see them', () => {
    for (const policy of ['write-through', 'write-back-on-close', 'asap'] as const) {
      const w = new World({ options: { policy, temporary: ['/tmp'] } });
      const seen = w.drive(function* () {
        yield* w[0].name('/tmp', 'makeDirectory', { mode: 0o777 });
        yield* dirty(w[0], '/tmp/f');
        yield* dirty(w[0], '/tmpnot');
        yield* sleep(seconds(10));
        return written(w);
      });
      expect(seen, policy).toBe(1);
    }

    const v = new World({ options: { delaySeconds: 1, temporary: ['/tmp'] } });
    const later = v.drive(function* () {
      yield* v[0].name('/tmp', 'makeDirectory', { mode: 0o777 });
      yield* dirty(v[0], '/tmp/f');
      // A relative name, from a directory that was entered there.
      const directory = yield* v[0].name('/tmp', 'enter', {});
      const target = { ...v[0].target('/g'), root: directory };
      const g = yield* v[0].board.open(target, { write: true, create: true }, { uid: 0, gid: 0, groups: [] });
      if (g.is !== 'done' || 'elsewhere' in g.value) throw new Error('no file');
      yield* g.value.write(0, bytes('relative'), { host: v[0].id, ticket: 0 });
      yield* g.value.close();
      yield* sleep(seconds(100));
      return [written(v), yield* v[1].get('/tmp/f'), yield* v[1].get('/tmp/g')];
    });
    expect(later).toEqual([0, 'dirty', 'relative']);
  });

  it('at a sync of the file, to the server’s disk', () => {
    const w = new World();
    const seen = w.drive(function* () {
      const f = yield* w[0].open('/f', { write: true, create: true });
      yield* f.write('safe');
      yield* f.object.sync();
      return [...w.server.disk.nodes.values()].map((n) => n.onDisk.length);
    });
    expect(seen).toEqual([0, 4]);
  });

  it('at a sync of the host, to their servers', () => {
    const w = new World();
    const seen = w.drive(function* () {
      yield* dirty(w[0], '/f');
      yield* dirty(w[0], '/g');
      yield* w[0].board.sync();
      return written(w);
    });
    expect(seen).toBe(2);
  });
});

describe('what the server does with what it gets', () => {
  const onDisk = (w: World): number =>
    [...w.server.disk.nodes.values()].reduce((n, f) => n + f.onDisk.length, 0);
  const after = (
    serverWrite: 'delayed' | 'through' | 'soon' | 'last-dirty-block' | 'write-backs',
  ): readonly [string, number] => {
    const w = new World({ options: { serverWrite, policy: 'write-back-on-close' } });
    return w.drive(function* () {
      yield* w[0].put('/f', block + block);
      return [w.server.storage?.writes.at(-1)?.split(' ')[1] ?? '', onDisk(w)] as const;
    });
  };

  it('is an option', () => {
    expect(after('delayed')).toEqual(['delayed', 0]);
    expect(after('soon')).toEqual(['soon', 0]);
    expect(after('through')).toEqual(['through', 8192]);
    expect(after('last-dirty-block')).toEqual(['delayed', 8192]);
    expect(after('write-backs')).toEqual(['through', 8192]);
  });

  it('concerns caches alone, where it says so', () => {
    const written = (serverWrite: 'through' | 'write-backs'): number => {
      const w = new World({ options: { serverWrite, clientCaching: false } });
      return w.drive(function* () {
        yield* w[0].put('/f', block + block);
        return onDisk(w);
      });
    };
    expect([written('through'), written('write-backs')]).toEqual([8192, 0]);
  });
});

describe('without client caches', () => {
  it('every read and write goes to the server in the program’s unit', () => {
    const w = new World({ options: { clientCaching: false } });
    w.drive(function* () {
      const f = yield* w[0].open('/f', { read: true, write: true, create: true });
      for (let i = 0; i < 4; i++) yield* f.write('k'.repeat(1024), i * 1024);
      for (let i = 0; i < 4; i++) yield* f.read(i * 1024, 1024);
      yield* f.close();
    });
    expect([calls(w, 'write'), calls(w, 'read')]).toEqual([4, 4]);
    expect(w[0].metric('bytesReadRemote')).toBe(4096);
    expect(w.server.metric('consistActions')).toBe(0);
  });
});

describe('what a client remembers', () => {
  it('is bounded: files without blocks are forgotten, the longest unused first', () => {
    const w = new World();
    const misses = w.drive(function* () {
      yield* w.server.put('/kept', block);
      yield* w[0].get('/kept');
      for (let i = 0; i < 1000; i++) {
        const f = yield* w[0].open(`/empty${i}`, { write: true, create: true });
        yield* f.close();
      }
      w.net.log.length = 0;
      yield* w[0].get('/kept');
      return calls(w, 'read');
    });
    expect(misses).toBe(0);
    expect(w[0].blocks.objects.size).toBeLessThan(10);
  });

  it('never forgets a file that is just being opened, though all others have blocks', () => {
    const w = new World();
    const wrong = w.drive(function* () {
      const seen: string[] = [];
      for (let i = 0; i < 450; i++) {
        yield* w[0].put(`/f${i}`, `content ${i}`);
        seen.push(yield* w[0].get(`/f${i}`));
      }
      return seen.filter((content, i) => content !== `content ${i}`);
    });
    expect(wrong).toEqual([]);
  });

  it('a server is watched only while something of it is open or dirty', () => {
    const w = new World();
    const seen = w.drive(function* () {
      const watched = () => w[0].end.watchers(w.server.id);
      const n = [watched()];
      const f = yield* w[0].open('/f', { write: true, create: true });
      n.push(watched());
      yield* f.write('x');
      yield* f.close();
      n.push(watched());
      yield* sleep(seconds(40));
      n.push(watched());
      yield* w[0].get('/f');
      n.push(watched());
      return n;
    });
    expect(seen).toEqual([0, 1, 1, 0, 0]);
  });
});
