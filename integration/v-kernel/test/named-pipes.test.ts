/** Programs on two machines that meet at a pipe by its name. */
import { seconds, sleep, type Task } from '@backplane/engine';
import { pipeServer } from '@backplane/pipe-server-v';
import { type Calls, isKernelError, type Program, type RunningProgram } from '@backplane/slots';
import { kindOf } from '@backplane/slots/testing';
import { vFileServer, vWorkstation } from '@backplane/v';
import { describe, expect, it } from 'vitest';
import { World } from './world.ts';

const encode = (s: string): Uint8Array => new TextEncoder().encode(s);
const decode = (b: Uint8Array): string => new TextDecoder().decode(b);
const create = { create: true } as const;

/** The file server has the pipes' names as well. */
const world = (): World =>
  new World({
    kernel: vWorkstation(),
    server: vFileServer().with({
      servers: { pipes: pipeServer({ prefix: '/pipe', blocks: 2, probeSeconds: 5 }) },
    }),
  });

const started = (w: World, on: string, program: Program): RunningProgram =>
  w.machine(on).board('systemCalls').start(on, program);

/** Everything that is written into it, until its end. */
function* all(sys: Calls, fd: number): Task<string> {
  let text = '';
  for (;;) {
    const bytes = yield* sys.read(fd, 100);
    if (bytes.length === 0) return text;
    text += decode(bytes);
  }
}

describe('a pipe with a name', () => {
  it.each([
    ['the reader', 0, 5],
    ['the writer', 5, 0],
  ])(
    'is made by whoever opens it first, and carries what one writes to the other: %s',
    (_, reader, writer) => {
      const w = world();
      const lines = Array.from({ length: 20 }, (__, n) => `line ${n}\n`);
      const got: string[] = [];
      w.run(function* () {
        const reading = started(w, 'mace', function* (sys) {
          yield* sys.sleep(seconds(reader));
          const fd = yield* sys.open('/pipe/work', { read: true, ...create });
          got.push(yield* all(sys, fd));
          yield* sys.close(fd);
          return 0;
        });
        const writing = started(w, 'thyme', function* (sys) {
          yield* sys.sleep(seconds(writer));
          const fd = yield* sys.open('/pipe/work', { write: true, ...create });
          for (const line of lines) yield* sys.write(fd, encode(line));
          yield* sys.close(fd);
          return 0;
        });
        expect([yield* writing.join(), yield* reading.join()]).toEqual([0, 0]);
      });
      expect(got).toEqual([lines.join('')]);
      expect(w.machine('allspice').metrics().toRecord()).toMatchObject({ 'pipes.ends': 0, 'pipes.names': 1 });
    },
  );

  it('is listed, looked at, renamed and removed as files are', () => {
    const w = world();
    const seen: unknown[] = [];
    w.run(() =>
      started(w, 'mace', function* (sys) {
        const into = yield* sys.open('/pipe/b', { write: true, ...create, mode: 0o600 });
        yield* sys.close(yield* sys.open('/pipe/a', { read: true, ...create }));
        yield* sys.chdir('/pipe');
        seen.push(yield* sys.entries('.'));
        const { type, mode } = yield* sys.stat('b');
        seen.push(type, mode & 0o777, (yield* sys.statOpen(into)).type);
        yield* sys.rename('b', 'c');
        yield* sys.unlink('a');
        seen.push(yield* sys.entries('/pipe'));
        // The writer has the same pipe, whatever its name is.
        yield* sys.write(into, encode('x'));
        const out = yield* sys.open('c', { read: true });
        yield* sys.unlink('c');
        seen.push(decode(yield* sys.read(out, 10)), yield* kindOf(sys.open('c', { read: true })));
        return 0;
      }).join(),
    );
    expect(seen).toEqual([['a', 'b'], 'namedPipe', 0o600, 'namedPipe', ['c'], 'x', 'notFound']);
  });

  it('is of whom its owner lets have it', () => {
    const w = world();
    const who = { uid: 7, gid: 7, groups: [] };
    const kinds: string[] = [];
    w.run(function* () {
      yield* started(w, 'mace', function* (sys) {
        yield* sys.close(yield* sys.open('/pipe/mine', { write: true, ...create, mode: 0o600 }));
        return 0;
      }).join();
      const other = w
        .machine('thyme')
        .board('systemCalls')
        .start(
          'other',
          function* (sys) {
            kinds.push(yield* kindOf(sys.open('/pipe/mine', { read: true })));
            kinds.push(yield* kindOf(sys.unlink('/pipe/mine')));
            return 0;
          },
          { who },
        );
      yield* other.join();
    });
    expect(kinds).toEqual(['permission', 'permission']);
  });

  it('is handed on to children as other open objects are', () => {
    const w = world();
    const got: string[] = [];
    w.run(function* () {
      const reading = started(w, 'mace', function* (sys) {
        got.push(yield* all(sys, yield* sys.open('/pipe/p', { read: true, ...create })));
        return 0;
      });
      const writing = started(w, 'thyme', function* (sys) {
        const fd = yield* sys.open('/pipe/p', { write: true, ...create });
        yield* sys.write(fd, encode('parent '));
        yield* sys.spawn('child', function* (child) {
          yield* child.write(fd, encode('child'));
          return 0;
        });
        yield* sys.close(fd);
        yield* sys.wait();
        return 0;
      });
      yield* writing.join();
      yield* reading.join();
    });
    expect(got).toEqual(['parent child']);
  });

  it('ends for its reader when the machine of its writer is gone, and is gone with its server', () => {
    const w = world();
    const got: string[] = [];
    w.run(function* () {
      const reading = started(w, 'mace', function* (sys) {
        const fd = yield* sys.open('/pipe/p', { read: true, ...create });
        got.push(yield* all(sys, fd));
        const kinds: string[] = [];
        w.machine('allspice').crash();
        w.machine('allspice').boot();
        yield* w.machine('allspice').running();
        try {
          yield* sys.read(fd, 1);
        } catch (e) {
          if (!isKernelError(e)) throw e;
          kinds.push(e.kind);
        }
        got.push(...kinds, (yield* sys.entries('/pipe')).join());
        return 0;
      });
      started(w, 'thyme', function* (sys) {
        const fd = yield* sys.open('/pipe/p', { write: true, ...create });
        yield* sys.write(fd, encode('last words'));
        yield* sys.sleep(seconds(1000));
        return 0;
      });
      yield* sleep(seconds(5));
      w.machine('thyme').crash();
      yield* reading.join();
    });
    expect(got).toEqual(['last words', 'peerDown', '']);
  });

  it('needs one side of it to be named, and is no directory', () => {
    const w = world();
    const kinds: string[] = [];
    w.run(() =>
      started(w, 'mace', function* (sys) {
        for (const [path, how] of [
          ['/pipe/p', { read: true, write: true, ...create }],
          ['/pipe/p', { read: true }],
          ['/pipe', { read: true }],
        ] as const)
          kinds.push(yield* kindOf(sys.open(path, how)));
        kinds.push(yield* kindOf(sys.mkdir('/pipe/d', 0o755)));
        return 0;
      }).join(),
    );
    expect(kinds).toEqual(['badArgument', 'notFound', 'isDirectory', 'unsupported']);
  });
});
