import { seconds, sleep, type Task } from '@backplane/engine';
import {
  type Attempt,
  authority,
  done,
  type FileProtocol,
  isKernelError,
  KernelError,
  type NameView,
  type ObjectKind,
  type OpenHow,
  type OpenObject,
  type Streams,
  type Transport,
  token,
  type Waiter,
} from '@backplane/slots';
import { testMachine } from '@backplane/slots/testing';
import { describe, expect, it } from 'vitest';
import { streams } from '../src/index.ts';

/** A file in memory, seekable, which can be told to have nothing for a while. */
class Text implements OpenObject {
  readonly ref = { kind: 'text', protocol: 'test', authority: authority('1'), id: 0 };
  readonly how: OpenHow;
  readonly traits = { blockBytes: 4096, seekable: true, sharedOffset: false, afterCrash: 'lost' } as const;
  bytes: Uint8Array;
  blocked = false;
  waiters: Waiter[] = [];
  closed = 0;

  constructor(bytes: Uint8Array, how: OpenHow) {
    this.bytes = bytes;
    this.how = how;
  }
  *read(p: number, count: number, waiter: Waiter): Task<{ bytes: Uint8Array; next: number }> {
    if (this.blocked) {
      this.waiters.push(waiter);
      throw new KernelError('wouldBlock');
    }
    yield* sleep(10);
    const bytes = this.bytes.slice(p, p + count);
    return { bytes, next: p + bytes.length };
  }
  *write(p: number | 'end', bytes: Uint8Array): Task<{ count: number; next: number }> {
    const at = p === 'end' ? this.bytes.length : p;
    const grown = new Uint8Array(Math.max(this.bytes.length, at + bytes.length));
    grown.set(this.bytes);
    grown.set(bytes, at);
    this.bytes = grown;
    return { count: bytes.length, next: at + bytes.length };
  }
  *attributes(): Task<never> {
    return { sizeBytes: this.bytes.length } as never;
  }
  *setAttributes(): Task<void> {}
  *truncate(): Task<void> {}
  *lock(): Task<void> {}
  *poll(waiter: Waiter) {
    if (this.blocked) this.waiters.push(waiter);
    return { read: !this.blocked, write: false, exception: false };
  }
  *sync(): Task<void> {}
  *close(): Task<void> {
    this.closed++;
  }
}

const view = {
  workingDirectory: '/',
  *perform<T>(name: string, _about: string, attempt: (t: never) => Task<Attempt<T>>): Task<T> {
    const outcome = yield* attempt({
      protocol: name.split(':')[0],
      remainder: name,
      root: token('r'),
    } as never);
    if (outcome.is !== 'done') throw new KernelError('notFound');
    return outcome.value;
  },
} as unknown as NameView;
const who = { uid: 0, gid: 0, groups: [] };

function world() {
  const machine = testMachine();
  const transport = { serve: () => () => {}, peers: { onDead: () => () => {} } } as unknown as Transport;
  const board: Streams = streams().create({ transport, wrapped: new Map() } as never, machine);
  const opened: Text[] = [];
  const protocol = {
    protocol: 'test',
    *open(_t: unknown, how: OpenHow) {
      const text = new Text(new Uint8Array([1, 2, 3, 4, 5, 6]), how);
      opened.push(text);
      return done(text);
    },
    *sync() {},
  } as unknown as FileProtocol;
  board.protocol(protocol);
  return {
    machine,
    board,
    opened,
    run<T>(body: (spawn: (t: Task<void>) => void) => Task<T>): T {
      const results: T[] = [];
      machine.scope.spawn(
        'test',
        (function* (): Task<void> {
          results.push(yield* body((t) => void machine.scope.spawn('beside', t)));
        })(),
      );
      machine.engine.run();
      return results[0] as T;
    },
  };
}

describe('streams', () => {
  it('move their offset, together for everybody who shares them, and give each reader bytes of his own', () => {
    const w = world();
    const seen = w.run(function* (spawn) {
      const s = w.board.share(yield* w.board.open(view, 'test:f', { read: true }, who));
      const parts: number[][] = [];
      spawn(
        (function* (): Task<void> {
          parts.push([...(yield* w.board.read(s, 2))]);
        })(),
      );
      yield* sleep(1);
      parts.push([...(yield* w.board.read(s, 2))]);
      return [parts, yield* w.board.seek(s, -1, 'end'), [...(yield* w.board.read(s, 9))]];
    });
    expect(seen).toEqual([
      [
        [1, 2],
        [3, 4],
      ],
      5,
      [6],
    ]);
  });

  it('close their object with the last reference', () => {
    const w = world();
    w.run(function* () {
      const s = yield* w.board.open(view, 'test:f', { read: true }, who);
      w.board.share(s);
      yield* w.board.close(s);
      expect(w.opened[0]?.closed).toBe(0);
      yield* w.board.close(s);
    });
    expect([w.opened[0]?.closed, w.machine.metric('streams.open')]).toEqual([1, 0]);
  });

  it('append wherever the end is, whatever their offset', () => {
    const w = world();
    const seen = w.run(function* () {
      const s = yield* w.board.open(view, 'test:f', { write: true, append: true }, who);
      yield* w.board.write(s, new Uint8Array([7, 8]));
      return s.offset;
    });
    expect([seen, [...(w.opened[0]?.bytes ?? [])]]).toEqual([8, [1, 2, 3, 4, 5, 6, 7, 8]]);
  });

  it('refuse what they were not opened for', () => {
    const w = world();
    const kinds = w.run(function* () {
      const s = yield* w.board.open(view, 'test:f', { write: true }, who);
      const seen: string[] = [];
      for (const attempt of [
        () => w.board.read(s, 1),
        () => w.board.seek(s, -1, 'start'),
        () => w.board.readAt(s, 0, 1),
      ]) {
        try {
          yield* attempt();
        } catch (e) {
          seen.push(isKernelError(e) ? e.kind : 'other');
        }
      }
      return seen;
    });
    expect(kinds).toEqual(['badHandle', 'badArgument', 'badHandle']);
  });

  it('wait for an object that has nothing, and try again when it wakes them; unless they must not wait', () => {
    const w = world();
    const seen = w.run(function* (spawn) {
      const s = yield* w.board.open(view, 'test:f', { read: true }, who);
      const text = w.opened[0] as Text;
      text.blocked = true;
      let refused = '';
      try {
        yield* w.board.read(s, 1, true);
      } catch (e) {
        refused = isKernelError(e) ? e.kind : 'other';
      }
      spawn(
        (function* (): Task<void> {
          yield* sleep(seconds(3));
          text.blocked = false;
          for (const waiter of text.waiters) w.board.wake(waiter);
        })(),
      );
      const bytes = yield* w.board.read(s, 1);
      return [refused, bytes[0], w.machine.engine.nowNs >= seconds(3)];
    });
    expect(seen).toEqual(['wouldBlock', 1, true]);
  });

  it('do not lose a wake-up that overtakes the answer "would block"', () => {
    const w = world();
    const first = w.run(function* () {
      const s = yield* w.board.open(view, 'test:f', { read: true }, who);
      const text = w.opened[0] as Text;
      text.blocked = true;
      const { read } = text;
      text.read = function* (p, count, waiter) {
        if (this.blocked) {
          this.blocked = false;
          w.board.wake(waiter);
          throw new KernelError('wouldBlock');
        }
        return yield* read.call(this, p, count, waiter);
      };
      return (yield* w.board.read(s, 1))[0];
    });
    expect(first).toBe(1);
  });

  it('select what is ready, or wait until the time is over', () => {
    const w = world();
    const seen = w.run(function* () {
      const s = yield* w.board.open(view, 'test:f', { read: true }, who);
      const [now] = yield* w.board.select([{ stream: s, read: true, write: false }], seconds(1));
      (w.opened[0] as Text).blocked = true;
      const [later] = yield* w.board.select([{ stream: s, read: true, write: false }], seconds(1));
      return [now?.read, later?.read, w.machine.engine.nowNs];
    });
    expect(seen).toEqual([true, false, 1e9]);
  });

  it('finish the open of another kind by that kind', () => {
    const w = world();
    const kind = {
      kind: 'device',
      *open() {
        return new Text(new Uint8Array([42]), { read: true });
      },
    } as unknown as ObjectKind;
    w.board.kind(kind);
    w.board.protocol({
      protocol: 'other',
      *open() {
        return done({ elsewhere: { kind: 'device', protocol: 'other', authority: authority('2'), id: 1 } });
      },
    } as unknown as FileProtocol);
    const byte = w.run(function* () {
      const s = yield* w.board.open(view, 'other:x', { read: true }, who);
      return (yield* w.board.read(s, 1))[0];
    });
    expect(byte).toBe(42);
  });

  it('name what is registered when a protocol is missing, and refuse one that is there', () => {
    const w = world();
    expect(() => w.board.protocol({ protocol: 'test' } as FileProtocol)).toThrowError(/Two boards register/);
    expect(() =>
      w.run(function* () {
        return yield* w.board.open(view, 'tets:f', { read: true }, who);
      }),
    ).toThrowError(/No board registers the file protocol "tets"; there are test/);
  });
});
