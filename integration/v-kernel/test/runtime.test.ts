import { ms, seconds, sleep, type Task } from '@backplane/engine';
import { runtime } from '@backplane/runtime-v';
import { type Calls, isKernelError, type Program, type RunningProgram } from '@backplane/slots';
import { vWorkstation } from '@backplane/v';
import { describe, expect, it } from 'vitest';
import { World, type WorldOptions } from './world.ts';

const encode = (s: string): Uint8Array => new TextEncoder().encode(s);
const decode = (b: Uint8Array): string => new TextDecoder().decode(b);

/** What a program returns, run on mace. */
function ran<T>(
  body: (sys: Calls) => Task<T>,
  o: WorldOptions = {},
): { readonly value: T; readonly w: World } {
  const w = new World(o);
  const got: T[] = [];
  const status = w.run(() =>
    started(w, function* (sys) {
      got.push(yield* body(sys));
      return 0;
    }).join(),
  );
  expect(status).toBe(0);
  return { value: got[0] as T, w };
}

const started = (w: World, program: Program, on = 'mace'): RunningProgram =>
  w.machine(on).board('systemCalls').start('test', program);

function* kindOf(task: Task<unknown>): Task<string> {
  try {
    yield* task;
    return 'ok';
  } catch (e) {
    if (isKernelError(e)) return e.kind;
    throw e;
  }
}

const metric = (w: World, host: string, name: string): number =>
  w.machine(host).metrics().toRecord()[name] ?? 0;

describe('a portable program on V', () => {
  it('reads back what it wrote, at any place', () => {
    const { value } = ran(function* (sys) {
      const fd = yield* sys.open('/a', { read: true, write: true, create: true });
      yield* sys.write(fd, encode('hello world'));
      yield* sys.seek(fd, 6, 'start');
      const world = decode(yield* sys.read(fd, 100));
      yield* sys.writeAt(fd, 0, encode('J'));
      yield* sys.truncateOpen(fd, 5);
      const { sizeBytes } = yield* sys.statOpen(fd);
      const all = decode(yield* sys.readAt(fd, 0, 100));
      yield* sys.close(fd);
      return [world, sizeBytes, all, yield* kindOf(sys.read(fd, 1))];
    });
    expect(value).toEqual(['world', 5, 'Jello', 'badHandle']);
  });

  it('appends wherever the end is', () => {
    const { value } = ran(function* (sys) {
      const a = yield* sys.open('/log', { write: true, append: true, create: true });
      const b = yield* sys.open('/log', { write: true, append: true });
      for (let i = 0; i < 3; i++) {
        yield* sys.write(a, encode(`a${i}`));
        yield* sys.write(b, encode(`b${i}`));
      }
      const r = yield* sys.open('/log', { read: true });
      return decode(yield* sys.read(r, 100));
    });
    expect(value).toBe('a0b0a1b1a2b2');
  });

  it('works on names', () => {
    const { value } = ran(function* (sys) {
      yield* sys.mkdir('/d', 0o755);
      yield* sys.chdir('/d');
      yield* sys.close(yield* sys.open('x', { write: true, create: true }));
      yield* sys.link('x', 'y');
      yield* sys.symlink('y', 'z');
      yield* sys.rename('x', 'w');
      const names = yield* sys.entries('.');
      const target = yield* sys.readlink('z');
      yield* sys.setAttributes('z', { mode: 0o600 });
      const { mode } = yield* sys.stat('/d/w');
      yield* sys.unlink('y');
      return [names, target, mode & 0o777, yield* kindOf(sys.stat('z')), yield* sys.workingDirectory()];
    });
    expect(value).toEqual([['w', 'y', 'z'], 'y', 0o600, 'notFound', '/d']);
  });

  it('duplicates a descriptor, which keeps its place with the other', () => {
    const { value } = ran(function* (sys) {
      const a = yield* sys.open('/a', { read: true, write: true, create: true });
      yield* sys.write(a, encode('abcdef'));
      yield* sys.seek(a, 0, 'start');
      const b = yield* sys.dup(a);
      const first = decode(yield* sys.read(a, 2));
      yield* sys.close(a);
      const c = yield* sys.dup(b, 9);
      return [first, decode(yield* sys.read(b, 2)), c, decode(yield* sys.read(9, 2))];
    });
    expect(value).toEqual(['ab', 'cd', 9, 'ef']);
  });

  it('sleeps and tells the time', () => {
    const { value } = ran(function* (sys) {
      const before = yield* sys.time();
      yield* sys.sleep(seconds(3));
      return Math.round(((yield* sys.time()) - before) / 1e9);
    });
    expect(value).toBe(3);
  });
});

describe('programs that start others', () => {
  it('wait for one, or for whichever ends first', () => {
    const { value, w } = ran(function* (sys) {
      const slow = yield* sys.spawn('slow', function* (child) {
        yield* child.sleep(seconds(5));
        return 5;
      });
      const fast = yield* sys.spawn('fast', function* (child) {
        yield* child.sleep(seconds(2));
        return 2;
      });
      const first = yield* sys.wait();
      const second = yield* sys.wait(slow);
      return [first.processId === fast, first.status, second.status, yield* kindOf(sys.wait())];
    });
    expect(value).toEqual([true, 2, 5, 'noProcess']);
    expect([
      metric(w, 'mace', 'v.programs'),
      metric(w, 'mace', 'v.spaces'),
      metric(w, 'mace', 'v.processes'),
    ]).toEqual([0, 0, 0]);
    expect(w.cluster.natives.texts.size).toBe(0);
  });

  it('give them names, files and the place in them; from there each goes its own way', () => {
    const { value } = ran(function* (sys) {
      yield* sys.mkdir('/d', 0o755);
      yield* sys.chdir('/d');
      const fd = yield* sys.open('f', { read: true, write: true, create: true });
      yield* sys.write(fd, encode('0123456789'));
      yield* sys.seek(fd, 3, 'start');
      const read: string[] = [];
      const child = yield* sys.spawn('child', function* (c) {
        read.push(decode(yield* c.read(fd, 3)), yield* c.workingDirectory());
        yield* c.write(yield* c.open('from child', { write: true, create: true }), encode('x'));
        return 0;
      });
      // Closing ours does not close the child's.
      yield* sys.close(fd);
      yield* sys.wait(child);
      return [...read, yield* sys.entries('/d')];
    });
    expect(value).toEqual(['345', '/d', ['f', 'from child']]);
  });

  it('end with a status from within any call, and by an error that nobody handles', () => {
    const { value } = ran(function* (sys) {
      const exits = yield* sys.spawn('exits', function* (c) {
        yield* c.exit(7);
        return 1;
      });
      const fails = yield* sys.spawn('fails', function* (c) {
        yield* c.unlink('/nothing');
        return 0;
      });
      return [(yield* sys.wait(exits)).status, (yield* sys.wait(fails)).status];
    });
    expect(value).toEqual([7, 1]);
  });

  it('are killed from outside', () => {
    const w = new World();
    const status = w.run(function* () {
      const running = started(w, function* (sys) {
        yield* sys.open('/held', { write: true, create: true });
        yield* sys.sleep(seconds(1000));
        return 0;
      });
      yield* sleep(seconds(1));
      running.kill();
      const status = yield* running.join();
      // Nobody has closed its file: the server finds out.
      yield* sleep(seconds(100));
      return status;
    });
    expect(status).toBe(137);
    expect(metric(w, 'allspice', 'uio.instances')).toBe(0);
  });

  it('run where there is least to do, when they are told so, with what they were given', () => {
    const kernel = vWorkstation().with({ systemCalls: runtime({ placement: 'least' }) });
    const { value, w } = ran(
      function* (sys) {
        const fd = yield* sys.open('/out', { read: true, write: true, create: true });
        const machines: string[] = [];
        const { read, write } = yield* sys.pipe();
        const child = yield* sys.spawn('guest', function* (c) {
          machines.push(c.machine);
          yield* c.write(fd, encode('from afar'));
          yield* c.write(write, encode('piped'));
          return 3;
        });
        yield* sys.close(write);
        const piped = decode(yield* sys.read(read, 100));
        const end = (yield* sys.read(read, 100)).length;
        const { status } = yield* sys.wait(child);
        return [machines[0] !== sys.machine, status, decode(yield* sys.readAt(fd, 0, 100)), piped, end];
      },
      { kernel },
    );
    expect(value).toEqual([true, 3, 'from afar', 'piped', 0]);
    expect(metric(w, 'thyme', 'v.programsStarted') + metric(w, 'allspice', 'v.programsStarted')).toBe(1);
  });
});

describe('pipes', () => {
  it('carry bytes from one program to the next, in order, to the end', () => {
    const { value } = ran(function* (sys) {
      const { read, write } = yield* sys.pipe();
      const child = yield* sys.spawn('writer', function* (c) {
        yield* c.close(read);
        for (let i = 0; i < 50; i++) yield* c.write(write, new Uint8Array(777).fill(i));
        return 0;
      });
      yield* sys.close(write);
      let sum = 0;
      let bytes = 0;
      for (;;) {
        const part = yield* sys.read(read, 500);
        if (part.length === 0) break;
        bytes += part.length;
        sum += part.reduce((a, b) => a + b, 0);
      }
      yield* sys.wait(child);
      return [bytes, sum];
    });
    expect(value).toEqual([50 * 777, 777 * ((49 * 50) / 2)]);
  });

  it('are looked at before they are read', () => {
    const { value } = ran(function* (sys) {
      const { read, write } = yield* sys.pipe();
      const wanted = [{ fd: read, read: true, write: false }];
      const before = (yield* sys.select(wanted, ms(100)))[0]?.read;
      const child = yield* sys.spawn('writer', function* (c) {
        yield* c.sleep(seconds(2));
        yield* c.write(write, encode('x'));
        return 0;
      });
      const start = yield* sys.time();
      const after = (yield* sys.select(wanted, seconds(10)))[0]?.read;
      const waited = Math.round(((yield* sys.time()) - start) / 1e9);
      yield* sys.wait(child);
      return [before, after, waited];
    });
    expect(value).toEqual([false, true, 2]);
  });

  it('break when nobody is left to read', () => {
    const { value } = ran(function* (sys) {
      const { read, write } = yield* sys.pipe();
      yield* sys.close(read);
      return yield* kindOf(sys.write(write, encode('x')));
    });
    expect(value).toBe('brokenPipe');
  });
});

describe('locks', () => {
  it('keep others out until they are given up', () => {
    const { value } = ran(function* (sys) {
      const fd = yield* sys.open('/l', { read: true, write: true, create: true });
      yield* sys.lock(fd, 'exclusive', { wait: true });
      const seen: string[] = [];
      const child = yield* sys.spawn('other', function* (c) {
        const mine = yield* c.open('/l', { read: true, write: true });
        seen.push(yield* kindOf(c.lock(mine, 'shared', { wait: false })));
        yield* c.lock(mine, 'shared', { wait: true });
        seen.push('got it');
        return 0;
      });
      yield* sys.sleep(seconds(3));
      seen.push('release');
      yield* sys.lock(fd, 'none', { wait: true });
      yield* sys.wait(child);
      return seen;
    });
    expect(value).toEqual(['wouldBlock', 'release', 'got it']);
  });
});

describe('two hundred programs, one after the other', () => {
  it('leave nothing behind', () => {
    const { w } = ran(
      function* (sys) {
        for (let i = 0; i < 200; i++) {
          const child = yield* sys.spawn('child', function* (c) {
            const fd = yield* c.open('/f', { write: true, create: true });
            yield* c.write(fd, encode(String(i)));
            return 0;
          });
          yield* sys.wait(child);
        }
      },
      { workstations: ['mace'] },
    );
    expect(metric(w, 'mace', 'v.programsStarted')).toBe(201);
    // The host keeps the one file, with its pages, until somebody wants the frames.
    expect(metric(w, 'mace', 'vm.publishedFiles')).toBe(0);
    expect(metric(w, 'allspice', 'uio.instances')).toBeLessThanOrEqual(2);
    expect(w.cluster.natives.texts.size).toBe(0);
  });
});
