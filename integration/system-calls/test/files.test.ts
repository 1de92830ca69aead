import type { Task } from '@backplane/engine';
import { type Calls, isKernelError, type KernelErrorKind } from '@backplane/slots';
import { describe, expect, it } from 'vitest';
import { alone } from './alone.ts';

const text = (s: string): Uint8Array => new Uint8Array(Buffer.from(s));
const string = (b: Uint8Array): string => Buffer.from(b).toString();

function* write(sys: Calls, path: string, content: string): Task<void> {
  const fd = yield* sys.open(path, { write: true, create: true, truncate: true });
  yield* sys.write(fd, text(content));
  yield* sys.close(fd);
}

function* read(sys: Calls, path: string): Task<string> {
  const fd = yield* sys.open(path, { read: true });
  const bytes = yield* sys.read(fd, 100_000);
  yield* sys.close(fd);
  return string(bytes);
}

/** The kind of error that an operation ends with, or undefined. */
function* failure(operation: Task<unknown>): Task<KernelErrorKind | undefined> {
  try {
    yield* operation;
    return undefined;
  } catch (e) {
    if (!isKernelError(e)) throw e;
    return e.kind;
  }
}

describe('files through system calls', () => {
  it('reads back what was written, through directories and links', () => {
    const seen = alone(function* (sys) {
      yield* sys.mkdir('/a', 0o755);
      yield* write(sys, '/a/one', 'hello');
      yield* sys.symlink('one', '/a/soft');
      yield* sys.symlink('/a', '/b');
      yield* sys.link('/a/one', '/a/hard');
      return [
        yield* read(sys, '/a/soft'),
        yield* read(sys, '/b/hard'),
        yield* sys.entries('/a'),
        (yield* sys.stat('/a/one')).links,
        yield* sys.readlink('/b'),
      ];
    });
    expect(seen).toEqual(['hello', 'hello', ['hard', 'one', 'soft'], 2, '/a']);
  });

  it('refuses what 4.3BSD refuses, each with its own error', () => {
    const seen = alone(function* (sys) {
      yield* sys.mkdir('/d', 0o755);
      yield* write(sys, '/d/f', 'x');
      yield* sys.symlink('/loop', '/loop');
      return [
        yield* failure(sys.stat('/none')),
        yield* failure(sys.mkdir('/d', 0o755)),
        yield* failure(sys.rmdir('/d')),
        yield* failure(sys.unlink('/d')),
        yield* failure(sys.stat('/d/f/g')),
        yield* failure(sys.open('/d', { write: true })),
        yield* failure(sys.open('/d/f', { write: true, create: true, exclusive: true })),
        yield* failure(sys.stat('/loop')),
        yield* failure(sys.rename('/d', '/d/e')),
        yield* failure(sys.close(77)),
        yield* failure(sys.mkdir(`/${'n'.repeat(256)}`, 0o755)),
      ];
    });
    expect(seen).toEqual([
      'notFound',
      'exists',
      'notEmpty',
      'isDirectory',
      'notDirectory',
      'isDirectory',
      'exists',
      'nameLoop',
      'badArgument',
      'badHandle',
      'nameTooLong',
    ]);
  });

  it('keeps an unlinked file until its last close', () => {
    const seen = alone(function* (sys) {
      yield* write(sys, '/f', 'still here');
      const fd = yield* sys.open('/f', { read: true });
      yield* sys.unlink('/f');
      const gone = yield* failure(sys.stat('/f'));
      const bytes = yield* sys.read(fd, 100);
      const { links } = yield* sys.statOpen(fd);
      yield* sys.close(fd);
      return [gone, string(bytes), links];
    });
    expect(seen).toEqual(['notFound', 'still here', 0]);
  });

  it('shares an offset between parent and child, and waits for the child', () => {
    const seen = alone(function* (sys) {
      yield* write(sys, '/f', 'abcdef');
      const fd = yield* sys.open('/f', { read: true });
      const child = yield* sys.spawn('child', function* (c) {
        yield* c.read(fd, 3);
        return 7;
      });
      const { processId, status } = yield* sys.wait();
      return [processId === child, status, string(yield* sys.read(fd, 3))];
    });
    expect(seen).toEqual([true, 7, 'def']);
  });

  it('passes bytes through a pipe, blocks on an empty and a full one, and ends when the writers are gone', () => {
    const seen = alone(function* (sys) {
      const { read: from, write: to } = yield* sys.pipe();
      yield* sys.spawn('writer', function* (c) {
        yield* c.close(from);
        yield* c.write(to, new Uint8Array(10_000).fill(65));
        yield* c.sleep(1e9);
        yield* c.write(to, text('end'));
        return 0;
      });
      yield* sys.close(to);
      let total = 0;
      let last = '';
      for (;;) {
        const bytes = yield* sys.read(from, 3000);
        if (bytes.length === 0) break;
        total += bytes.length;
        last = string(bytes.slice(-3));
      }
      return [total, last, yield* sys.time()];
    });
    expect(seen).toEqual([10_003, 'end', 1e9]);
  });

  it('tells a writer without readers that the pipe is broken', () => {
    expect(
      alone(function* (sys) {
        const { read: from, write: to } = yield* sys.pipe();
        yield* sys.close(from);
        return yield* failure(sys.write(to, text('x')));
      }),
    ).toBe('brokenPipe');
  });

  it('selects on pipes, with a time-out', () => {
    const seen = alone(function* (sys) {
      const { read: from, write: to } = yield* sys.pipe();
      const wanted = [{ fd: from, read: true, write: false }];
      const [none] = yield* sys.select(wanted, 2e9);
      const after = yield* sys.time();
      yield* sys.spawn('writer', function* (c) {
        yield* c.sleep(1e9);
        yield* c.write(to, text('x'));
        return 0;
      });
      const [some] = yield* sys.select(wanted, 10e9);
      return [none?.read, after, some?.read, yield* sys.time()];
    });
    expect(seen).toEqual([false, 2e9, true, 3e9]);
  });

  it('checks permissions of several users, and lets only owners change modes', () => {
    const seen = alone(function* (sys) {
      yield* write(sys, '/mine', 'secret');
      yield* sys.setAttributes('/mine', { mode: 0o640, gid: 50 });
      const kinds: (KernelErrorKind | undefined)[] = [];
      yield* sys.spawn('other', function* (c) {
        yield* c.setUser(100, 100);
        kinds.push(yield* failure(c.open('/mine', { read: true })));
        kinds.push(yield* failure(c.setAttributes('/mine', { mode: 0o777 })));
        kinds.push(yield* failure(c.open('/new', { write: true, create: true })));
        return 0;
      });
      yield* sys.wait();
      yield* sys.spawn('member', function* (c) {
        yield* c.setUser(101, 101, [50]);
        kinds.push(yield* failure(c.open('/mine', { read: true })));
        kinds.push(yield* failure(c.open('/mine', { write: true })));
        return 0;
      });
      yield* sys.wait();
      return kinds;
    });
    expect(seen).toEqual(['permission', 'notOwner', 'permission', undefined, 'permission']);
  });

  it('locks whole files between processes', () => {
    const seen = alone(function* (sys) {
      yield* write(sys, '/l', 'x');
      const fd = yield* sys.open('/l', { read: true });
      yield* sys.lock(fd, 'exclusive', { wait: true });
      let got = -1;
      let refused: KernelErrorKind | undefined;
      yield* sys.spawn('second', function* (c) {
        const own = yield* c.open('/l', { read: true });
        refused = yield* failure(c.lock(own, 'shared', { wait: false }));
        yield* c.lock(own, 'shared', { wait: true });
        got = yield* c.time();
        return 0;
      });
      yield* sys.sleep(5e9);
      yield* sys.lock(fd, 'none', { wait: true });
      yield* sys.wait();
      return [refused, got];
    });
    expect(seen).toEqual(['wouldBlock', 5e9]);
  });

  it('finds relative names from the working directory, though it is renamed', () => {
    const seen = alone(function* (sys) {
      yield* sys.mkdir('/a', 0o755);
      yield* write(sys, '/a/f', 'x');
      yield* sys.chdir('/a');
      const at = yield* sys.workingDirectory();
      yield* sys.rename('/a', '/b');
      return [at, yield* read(sys, 'f'), yield* sys.entries('.'), yield* sys.entries('..')];
    });
    expect(seen).toEqual(['/a', 'x', ['f'], ['b']]);
  });

  it('ends a process that exits from inside, and closes what it had open', () => {
    const seen = alone(function* (sys) {
      yield* sys.spawn('child', function* (c) {
        yield* c.open('/x', { write: true, create: true });
        yield* c.exit(3);
        return 0;
      });
      return yield* sys.wait();
    });
    expect(seen.status).toBe(3);
  });

  it('charges processor time on a machine that costs', () => {
    const elapsed = alone(
      function* (sys) {
        const before = yield* sys.time();
        yield* sys.stat('/');
        return (yield* sys.time()) - before;
      },
      { costs: true },
    );
    expect(elapsed).toBeGreaterThan(100_000);
  });
});
