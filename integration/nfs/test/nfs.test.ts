import type { Task } from '@backplane/engine';
import { type Calls, isKernelError } from '@backplane/slots';
import { describe, expect, it } from 'vitest';
import { get, nfs, put } from './cluster.ts';

const letters = (n: number, letter: string): string => letter.repeat(n);

function* failure(operation: Task<unknown>): Task<string> {
  try {
    yield* operation;
    return 'nothing';
  } catch (e) {
    if (!isKernelError(e)) throw e;
    return e.kind;
  }
}

describe('sharing by NFS', () => {
  it('is right when one closes before the other opens, whatever was cached', () => {
    const seen = nfs(function* (w) {
      const read: string[] = [];
      for (const content of ['one', 'two and more', letters(20_000, 'x'), 'short']) {
        yield* w.on(0, (sys) => put(sys, '/f', content));
        read.push(yield* w.on(1, (sys) => get(sys, '/f')));
      }
      return read;
    });
    expect(seen).toEqual(['one', 'two and more', letters(20_000, 'x'), 'short']);
  });

  it('shows an open file’s old bytes while its attributes are trusted, and the new ones afterwards', () => {
    const seen = nfs(function* (w) {
      yield* w.on(0, (sys) => put(sys, '/f', 'old'));
      const reads: string[] = [];
      const reader = w.start(1, function* (sys) {
        const fd = yield* sys.open('/f', { read: true });
        for (let i = 0; i < 6; i++) {
          reads.push(Buffer.from(yield* sys.readAt(fd, 0, 10)).toString());
          yield* sys.sleep(1e9);
        }
      });
      yield* w.sleep(0.5);
      yield* w.on(0, (sys) => put(sys, '/f', 'new'));
      yield* w.sleep(10);
      return { reads, ended: reader.ended, changes: w.metric('cache.nfs.changesSeen') };
    });
    expect(seen).toEqual({ reads: ['old', 'old', 'old', 'new', 'new', 'new'], ended: true, changes: 1 });
  });

  it('trusts the attributes of an old file longer, up to the bound', () => {
    const seen = nfs(function* (w) {
      yield* w.on(0, (sys) => put(sys, '/f', 'old'));
      yield* w.sleep(160);
      let seconds = 0;
      w.start(1, function* (sys) {
        const fd = yield* sys.open('/f', { read: true });
        while (Buffer.from(yield* sys.readAt(fd, 0, 10)).toString() === 'old') {
          yield* sys.sleep(1e9);
          seconds++;
        }
      });
      yield* w.sleep(0.5);
      yield* w.on(0, (sys) => put(sys, '/f', 'new'));
      yield* w.sleep(60);
      return seconds;
    });
    // A sixteenth of 160 seconds.
    expect(seen).toBe(11);
  });

  it('has writes at the server by the time of the close, not of the write', () => {
    const seen = nfs(function* (w) {
      const sizes: number[] = [];
      w.start(0, function* (sys) {
        const fd = yield* sys.open('/f', { write: true, create: true });
        yield* sys.write(fd, Buffer.from('abc'));
        yield* sys.sleep(2e9);
        yield* sys.close(fd);
      });
      yield* w.sleep(1);
      sizes.push(yield* w.on(1, (sys) => size(sys, '/f')));
      yield* w.sleep(2);
      sizes.push(yield* w.on(1, (sys) => size(sys, '/f')));
      return sizes;
    });
    expect(seen).toEqual([0, 3]);
  });

  it('sends full transfers at once, and a part of one after thirty seconds', () => {
    const seen = nfs(function* (w) {
      const sizes: number[] = [];
      w.start(0, function* (sys) {
        const fd = yield* sys.open('/f', { write: true, create: true });
        yield* sys.write(fd, Buffer.from(letters(20_000, 'x')));
        yield* sys.sleep(100e9);
        yield* sys.close(fd);
      });
      for (const seconds of [1, 60]) {
        yield* w.sleep(seconds);
        sizes.push(yield* w.on(1, (sys) => size(sys, '/f')));
      }
      return { sizes, writes: w.metric('cache.nfs.writes') };
    });
    expect(seen).toEqual({ sizes: [16_384, 20_000], writes: 3 });
  });
});

function* size(sys: Calls, path: string): Task<number> {
  return (yield* sys.stat(path)).sizeBytes;
}

describe('names by NFS', () => {
  it('asks for one component at a time', () => {
    const deep = (nameCache: boolean): number =>
      nfs(
        function* (w) {
          yield* w.on(0, function* (sys) {
            yield* sys.mkdir('/a', 0o755);
            yield* sys.mkdir('/a/b', 0o755);
            yield* put(sys, '/a/b/c', 'x');
            yield* sys.stat('/a/b/c');
          });
          const before = w.metric('cache.nfs.lookups');
          yield* w.on(0, function* (sys) {
            for (let i = 0; i < 10; i++) yield* sys.stat('/a/b/c');
          });
          return w.metric('cache.nfs.lookups') - before;
        },
        { options: { nameCache } },
      );
    expect([deep(false), deep(true)]).toEqual([30, 0]);
  });

  it('follows links itself, and knows where ".." leads', () => {
    const seen = nfs(function* (w) {
      return yield* w.on(0, function* (sys) {
        yield* sys.mkdir('/a', 0o755);
        yield* put(sys, '/a/f', 'content');
        yield* sys.symlink('f', '/a/near');
        yield* sys.symlink('/a', '/far');
        yield* sys.symlink('/loop', '/loop');
        yield* sys.chdir('/a');
        return [
          yield* get(sys, '/far/near'),
          yield* get(sys, '../../a/./f'),
          yield* sys.readlink('/far'),
          yield* failure(sys.stat('/loop')),
          yield* failure(sys.stat('/a/f/g')),
          yield* failure(sys.stat('/a/none')),
          yield* failure(sys.stat('/a/f/')),
          yield* failure(sys.rmdir('.')),
          yield* failure(sys.mkdir('/a/', 0o755)),
          yield* failure(sys.open('/a', { write: true })),
          yield* failure(sys.rename('/a', '/a/b')),
          yield* sys.entries('/'),
        ];
      });
    });
    expect(seen).toEqual([
      'content',
      'content',
      '/a',
      'nameLoop',
      'notDirectory',
      'notFound',
      'notDirectory',
      'badArgument',
      'exists',
      'isDirectory',
      'badArgument',
      ['a', 'far', 'loop'],
    ]);
  });

  it('crosses from mount to mount', () => {
    const seen = nfs(
      function* (w) {
        return yield* w.on(0, function* (sys) {
          yield* put(sys, '/src/f', 'there');
          yield* sys.remoteLink('/src', '/src');
          yield* sys.remoteLink('/nowhere', '/lost');
          return [
            yield* get(sys, '/src/f'),
            yield* get(sys, '/src/../src/f'),
            yield* failure(sys.stat('/lost/f')),
            yield* failure(sys.rename('/src/f', '/f')),
            yield* sys.entries('/'),
          ];
        });
      },
      { servers: [['/'], ['/src']] },
    );
    expect(seen).toEqual(['there', 'there', 'notFound', 'crossDomain', ['lost', 'src']]);
  });

  it('keeps an unlinked open file under a silly name until its last close', () => {
    const seen = nfs(function* (w) {
      return yield* w.on(0, function* (sys) {
        yield* put(sys, '/f', 'content');
        yield* put(sys, '/g', 'other');
        const f = yield* sys.open('/f', { read: true });
        const g = yield* sys.open('/g', { read: true });
        yield* sys.unlink('/f');
        yield* put(sys, '/h', 'new');
        yield* sys.rename('/h', '/g');
        const during = yield* sys.entries('/');
        const bytes = [
          Buffer.from(yield* sys.read(f, 100)).toString(),
          Buffer.from(yield* sys.read(g, 100)).toString(),
        ];
        yield* sys.close(f);
        yield* sys.close(g);
        return {
          during: during.map((n) => n.slice(0, 4)),
          bytes,
          after: yield* sys.entries('/'),
          g: yield* get(sys, '/g'),
          renames: w.metric('cache.nfs.sillyRenames'),
        };
      });
    });
    expect(seen).toEqual({
      during: ['.nfs', '.nfs', 'g'],
      bytes: ['content', 'other'],
      after: ['g'],
      g: 'new',
      renames: 2,
    });
  });

  it('loses a file that another host unlinks while it is open', () => {
    const seen = nfs(function* (w) {
      yield* w.on(0, (sys) => put(sys, '/f', letters(50_000, 'x')));
      const errors: string[] = [];
      w.start(1, function* (sys) {
        const fd = yield* sys.open('/f', { read: true });
        yield* sys.sleep(10e9);
        errors.push(yield* failure(sys.read(fd, 10)));
      });
      yield* w.sleep(1);
      yield* w.on(0, (sys) => sys.unlink('/f'));
      yield* w.sleep(20);
      return errors;
    });
    expect(seen).toEqual(['stale']);
  });

  it('checks permission at the server, but lets the owner go on who opened first', () => {
    const seen = nfs(function* (w) {
      return yield* w.on(0, function* (sys) {
        yield* sys.setAttributes('/', { mode: 0o777 });
        yield* sys.setUser(5, 5);
        const fd = yield* sys.open('/f', { read: true, write: true, create: true, mode: 0o644 });
        yield* sys.setAttributesOpen(fd, { mode: 0 });
        yield* sys.write(fd, Buffer.from('mine'));
        yield* sys.sync(fd);
        const again = yield* failure(sys.open('/f', { read: true }));
        yield* sys.close(fd);
        return [again, (yield* sys.stat('/f')).sizeBytes, yield* failure(sys.access('/f', { read: true }))];
      });
    });
    expect(seen).toEqual(['permission', 4, 'permission']);
  });
});

describe('a stateless server', () => {
  it('may crash and reboot in the middle of writes: nothing is lost that was closed', () => {
    for (let seed = 1; seed <= 5; seed++) {
      const seen = nfs(
        function* (w) {
          const closed: number[] = [];
          w.start(0, function* (sys) {
            for (let i = 0; i < 20; i++) {
              yield* put(sys, `/f${i}`, letters(9000 + i, 'y'));
              closed.push(i);
              yield* sys.sleep(1e8);
            }
          });
          yield* w.sleep(0.3 + seed / 7);
          w.server.crash();
          yield* w.sleep(20);
          const before = closed.length;
          w.server.boot();
          yield* w.sleep(60);
          const sizes: number[] = [];
          for (const i of closed) sizes.push((yield* w.on(1, (sys) => get(sys, `/f${i}`))).length);
          return { before, closed: closed.length, right: sizes.every((s, i) => s === 9000 + i) };
        },
        { seed },
      );
      expect(seen.before).toBeLessThan(20);
      expect({ seed, ...seen }).toEqual({ seed, before: seen.before, closed: 20, right: true });
    }
  });

  it('needs no reopening: an open file is read on after the reboot', () => {
    const seen = nfs(function* (w) {
      const bytes: string[] = [];
      yield* w.on(1, (sys) => put(sys, '/f', letters(30_000, 'z')));
      w.start(0, function* (sys) {
        const fd = yield* sys.open('/f', { read: true });
        bytes.push(Buffer.from(yield* sys.read(fd, 3)).toString());
        yield* sys.sleep(5e9);
        bytes.push(Buffer.from(yield* sys.readAt(fd, 29_990, 100)).toString());
      });
      yield* w.sleep(1);
      w.server.crash();
      yield* w.sleep(30);
      w.server.boot();
      yield* w.sleep(60);
      return bytes;
    });
    expect(seen).toEqual(['zzz', letters(10, 'z')]);
  });
});

describe('files of one client', () => {
  it('are read back as they were written, in pieces of any size', () => {
    const seen = nfs(function* (w) {
      return yield* w.on(0, function* (sys) {
        const fd = yield* sys.open('/f', { read: true, write: true, create: true });
        for (let i = 0; i < 30; i++) yield* sys.write(fd, Buffer.from(letters(1000, String(i % 10))));
        yield* sys.writeAt(fd, 5000, Buffer.from('HERE'));
        yield* sys.writeAt(fd, 40_000, Buffer.from('end'));
        const bytes = Buffer.from(yield* sys.readAt(fd, 0, 100_000)).toString();
        yield* sys.truncateOpen(fd, 4100);
        yield* sys.truncateOpen(fd, 4200);
        const cut = Buffer.from(yield* sys.readAt(fd, 4098, 1000)).toString();
        yield* sys.close(fd);
        const appending = yield* sys.open('/f', { write: true, append: true });
        yield* sys.write(appending, Buffer.from('tail'));
        yield* sys.close(appending);
        return [
          bytes.length,
          bytes.slice(4998, 5006),
          bytes.slice(29_998, 30_002),
          cut,
          yield* size(sys, '/f'),
        ];
      });
    });
    expect(seen).toEqual([40_003, '44HERE55', '99\0\0', `44${'\0'.repeat(100)}`, 4204]);
  });

  it('report at the close that the server had no room for what was written', () => {
    const seen = nfs(
      function* (w) {
        return yield* w.on(0, function* (sys) {
          const fd = yield* sys.open('/f', { write: true, create: true });
          yield* sys.write(fd, Buffer.from(letters(5000, 'x')));
          yield* sys.write(fd, Buffer.from(letters(100_000, 'x')));
          const closed = yield* failure(sys.close(fd));
          yield* sys.unlink('/f');
          return [closed, yield* sys.entries('/'), w.metric('cache.nfs.writeErrors') > 0];
        });
      },
      { storageBytes: 50_000 },
    );
    expect(seen).toEqual(['noSpace', [], true]);
  });

  it('are locked among its processes, and by nobody else', () => {
    const seen = nfs(function* (w) {
      yield* w.on(0, (sys) => put(sys, '/f', 'x'));
      const order: string[] = [];
      w.start(0, function* (sys) {
        const fd = yield* sys.open('/f', { read: true });
        yield* sys.lock(fd, 'exclusive', { wait: true });
        yield* sys.sleep(3e9);
        order.push('first');
        yield* sys.close(fd);
      });
      yield* w.sleep(1);
      w.start(0, function* (sys) {
        const fd = yield* sys.open('/f', { read: true });
        order.push(yield* failure(sys.lock(fd, 'exclusive', { wait: false })));
        yield* sys.lock(fd, 'exclusive', { wait: true });
        order.push('second');
      });
      order.push(
        yield* w.on(1, function* (sys) {
          const fd = yield* sys.open('/f', { read: true });
          return yield* failure(sys.lock(fd, 'exclusive', { wait: false }));
        }),
      );
      yield* w.sleep(5);
      return order;
    });
    expect(seen).toEqual(['wouldBlock', 'nothing', 'first', 'second']);
  });
});
