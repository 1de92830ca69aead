/** Moves between hosts whose transport hands bytes over in virtual time: no losses, but hosts that are dead. */
import { Engine, sleep, type Task } from '@backplane/engine';
import {
  authority,
  done,
  type FileProtocol,
  type HostId,
  hostId,
  isKernelError,
  KernelError,
  type KernelErrorKind,
  type Movable,
  type Move,
  type NameView,
  type ObjectRef,
  type OpenHow,
  type OpenObject,
  type Position,
  type Procedure,
  type Stream,
  type Streams,
  type Transport,
  type Turn,
} from '@backplane/slots';
import { type TestMachine, testMachine } from '@backplane/slots/testing';
import { describe, expect, it } from 'vitest';
import { streams } from '../src/index.ts';

const who = { uid: 0, gid: 0, groups: [] };
const view = {
  *perform(_name: string, _about: string, attempt: (t: never) => Task<{ readonly value: unknown }>) {
    return (yield* attempt({ protocol: 'text' } as never)).value;
  },
} as unknown as NameView;

type Result<T> = { readonly value: T } | { readonly kind: KernelErrorKind };
type Handler = (request: unknown, from: { readonly host: HostId; readonly bootId: number }) => Task<unknown>;

class Network {
  readonly engine = new Engine({ seed: 1 });
  readonly hosts = new Map<HostId, Host>();
  /** Procedures in the order in which they were called. */
  readonly calls: string[] = [];
  /** What happens before a call is delivered. */
  before: (name: string) => void = () => {};
}

/** One host: its streams, and the simplest protocol. Host 1 has the only file: the alphabet. */
class Host {
  readonly host: HostId;
  readonly machine: TestMachine;
  readonly streams: Streams;
  readonly handlers = new Map<
    number,
    { readonly procedure: Procedure<unknown, unknown>; readonly handler: Handler }
  >();
  readonly onDead: ((host: HostId) => Task<void>)[] = [];
  /** At the server: how often each host has the file open. */
  readonly uses = new Map<HostId, number>();
  alive = true;
  readonly sharedOffset: boolean;
  readonly network: Network;

  constructor(network: Network, n: number, sharedOffset: boolean) {
    this.network = network;
    this.host = hostId(n);
    this.sharedOffset = sharedOffset;
    this.machine = testMachine({ name: `host${n}`, host: n, engine: network.engine, bootId: 1000 + n });
    const transport = this.#transport();
    this.streams = streams().create({ transport, wrapped: new Map() } as never, this.machine);
    this.streams.protocol(this.#protocol());
    network.hosts.set(this.host, this);
  }

  #transport(): Transport {
    const self = this;
    return {
      self: this.host,
      peers: { onDead: (f: (host: HostId) => Task<void>) => self.onDead.push(f) },
      serve: (procedure: Procedure<unknown, unknown>, handler: Handler) =>
        self.handlers.set(procedure.id, { procedure, handler }),
      *call(to: HostId, p: Procedure<unknown, unknown>, request: unknown): Task<unknown> {
        self.network.calls.push(`${p.name} ${self.host}-${to}`);
        self.network.before(p.name);
        yield* sleep(1000);
        const there = self.network.hosts.get(to);
        const served = there?.handlers.get(p.id);
        if (there?.alive !== true || served === undefined) throw new KernelError('peerDown');
        const value = served.procedure.request.decode(p.request.encode(request));
        // On a thread of the host that serves it: it outlives the caller.
        const handled = there.spawn(served.handler(value, { host: self.host, bootId: self.machine.bootId }));
        let reply = handled.result();
        while (there.alive && reply === undefined) {
          yield* sleep(1000);
          reply = handled.result();
        }
        if (reply === undefined) throw new KernelError('peerDown');
        if ('kind' in reply) throw new KernelError(reply.kind);
        return p.reply.decode(served.procedure.reply.encode(reply.value));
      },
    } as unknown as Transport;
  }

  #protocol(): FileProtocol {
    const self = this;
    const server = (): Host => self.network.hosts.get(hostId(1)) as Host;
    const count = (host: HostId, by: number): void => {
      server().uses.set(host, (server().uses.get(host) ?? 0) + by);
    };
    return {
      protocol: 'text',
      *open(_t: unknown, how: OpenHow) {
        count(self.host, 1);
        return done(new Alphabet(self, server, how));
      },
      *sync() {},
      *adopt(m: Movable) {
        const { place, granted } = yield* self.streams.handOver(hostId(1), m);
        if (granted.length !== 3) throw new Error('not what the server granted');
        return { object: new Alphabet(self, server, m.how), place };
      },
      *move({ movable, to, joins, targetLives, release }: Move) {
        if ((self.uses.get(movable.source) ?? 0) === 0) throw new KernelError('stale');
        const left = yield* release();
        if (left) count(movable.source, -1);
        if (!joins && targetLives()) count(to, 1);
        return new Uint8Array(3);
      },
    } as unknown as FileProtocol;
  }

  spawn<T>(body: Task<T>): { readonly result: () => Result<T> | undefined } {
    const results: Result<T>[] = [];
    this.machine.scope.spawn(
      'test',
      (function* (): Task<void> {
        try {
          results.push({ value: yield* body });
        } catch (e) {
          if (!isKernelError(e)) throw e;
          results.push({ kind: e.kind });
        }
      })(),
    );
    return { result: () => results[0] };
  }

  run<T>(body: Task<T>): T | string {
    const ended = this.spawn(body);
    this.network.engine.run();
    const result = ended.result();
    if (result === undefined) throw new Error('it hangs');
    return 'kind' in result ? result.kind : result.value;
  }

  open(): Stream {
    return this.run(this.streams.open(view, '/x', { read: true }, who)) as Stream;
  }

  read(s: Stream, n: number): string {
    const seen = this.run(this.streams.read(s, n));
    return typeof seen === 'string' ? seen : String.fromCharCode(...seen);
  }

  adopt(m: Movable): Stream {
    const stream = this.run(this.streams.adopt(m));
    if (typeof stream === 'string') throw new Error(stream);
    return stream;
  }

  die(): void {
    this.alive = false;
    this.machine.scope.crash();
    for (const other of this.network.hosts.values())
      if (other.alive) for (const f of other.onDead) other.machine.scope.spawn('dead', f(this.host));
  }
}

class Alphabet implements OpenObject {
  readonly ref: ObjectRef = { kind: 'file', protocol: 'text', authority: authority('1'), id: 'x' };
  readonly how: OpenHow;
  readonly traits;
  readonly #on: Host;
  readonly #server: () => Host;

  constructor(on: Host, server: () => Host, how: OpenHow) {
    this.#on = on;
    this.#server = server;
    this.how = how;
    const { sharedOffset } = on;
    this.traits = { blockBytes: 4096, seekable: true, sharedOffset, afterCrash: 'lost' } as const;
  }
  *read(p: Position, count: number): Task<{ bytes: Uint8Array; next: number; turn?: Turn }> {
    yield* sleep(10);
    const letters = (at: number): Uint8Array =>
      new Uint8Array(count).map((_, i) => 97 + at + i).filter((c) => c <= 122);
    if (typeof p !== 'object') {
      const bytes = letters(p as number);
      return { bytes, next: (p as number) + bytes.length };
    }
    const { result, turn } = yield* this.#server().streams.atShared(p.shared, this.#on.host, function* (at) {
      const bytes = letters(at);
      return { bytes, next: at + bytes.length };
    });
    return { ...result, turn };
  }
  *write(): Task<never> {
    throw new KernelError('unsupported');
  }
  *attributes(): Task<never> {
    return { sizeBytes: 26 } as never;
  }
  *setAttributes(): Task<void> {}
  *truncate(): Task<void> {}
  *lock(): Task<void> {}
  *poll() {
    return { read: true, write: true, exception: false };
  }
  *sync(): Task<void> {}
  *close(): Task<void> {
    const { uses } = this.#server();
    uses.set(this.#on.host, (uses.get(this.#on.host) ?? 0) - 1);
  }
  *depart(): Task<void> {}
}

function world(sharedOffset = true) {
  const network = new Network();
  const [server, a, b, c] = [1, 2, 3, 4].map((n) => new Host(network, n, sharedOffset)) as [
    Host,
    Host,
    Host,
    Host,
  ];
  return { network, server, a, b, c };
}

describe('a reference', () => {
  it('goes with its offset, by way of the server, which calls the source back', () => {
    const { network, server, a, b } = world();
    const s = a.open();
    expect(a.read(s, 3)).toBe('abc');
    const m = a.streams.describe(s);
    expect(a.machine.metric('streams.open')).toBe(1);
    network.calls.length = 0;
    const here = b.adopt(JSON.parse(JSON.stringify(m)));
    expect(network.calls).toEqual(['migrate 3-1', 'release 1-2']);
    expect([here.id, here.shared, b.read(here, 2)]).toEqual([s.id, false, 'de']);
    expect([a, b].map((h) => h.machine.metric('streams.open'))).toEqual([0, 1]);
    expect([...server.uses]).toEqual([
      [a.host, 0],
      [b.host, 1],
    ]);
    expect(server.machine.metric('streams.shadows')).toBe(0);
  });

  it('is fetched once, and not at all when it was withdrawn', () => {
    const { a, b, c } = world();
    const s = a.open();
    const off = a.streams.describe(s);
    expect([a.streams.withdraw(off), a.streams.withdraw(off)]).toEqual([true, false]);
    expect(b.run(b.streams.adopt(off))).toBe('stale');
    const m = a.streams.describe(s);
    b.adopt(m);
    expect(a.streams.withdraw(m)).toBe(false);
    expect(c.run(c.streams.adopt(m))).toBe('stale');
  });

  it('does not leave a stream that others use, where hosts cannot share an offset', () => {
    const { a } = world(false);
    const s = a.streams.share(a.open());
    expect(() => a.streams.describe(s)).toThrowError(/cannot be shared/);
  });

  it('joins the stream that is there', () => {
    const { server, a, b } = world();
    const s = a.streams.share(a.open());
    const first = b.adopt(a.streams.describe(s));
    expect(b.adopt(a.streams.describe(s))).toBe(first);
    expect([server.uses.get(a.host), server.uses.get(b.host)]).toEqual([0, 1]);
    expect([b.read(first, 2), first.shared]).toEqual(['ab', false]);
    b.run(b.streams.close(first));
    expect(server.uses.get(b.host)).toBe(1);
    b.run(b.streams.close(first));
    expect(server.uses.get(b.host)).toBe(0);
  });

  it('is closed when the thread that adopts it is killed', () => {
    const { network, server, a, b } = world();
    const m = a.streams.describe(a.open());
    const thread = b.machine.scope.spawn('killed', b.streams.adopt(m));
    network.engine.run(network.engine.nowNs + 1500);
    thread.cancel();
    network.engine.run();
    expect([server.uses.get(a.host), server.uses.get(b.host)]).toEqual([0, 0]);
    expect(b.machine.metric('streams.open')).toBe(0);
  });
});

describe('an offset that hosts share', () => {
  it('gives each of them bytes of its own, and comes back to the last one', () => {
    const { server, a, b } = world();
    const s = a.streams.share(a.open());
    const here = b.adopt(a.streams.describe(s));
    expect([a.read(s, 2), b.read(here, 2), a.read(s, 2), s.shared, here.shared]).toEqual([
      'ab',
      'cd',
      'ef',
      true,
      true,
    ]);
    a.run(a.streams.close(s));
    expect([b.read(here, 1), here.shared, here.offset]).toEqual(['g', false, 7]);
    expect(server.machine.metric('streams.shadows')).toBe(1);
    b.run(b.streams.close(here));
    expect(server.machine.metric('streams.shadows')).toBe(0);
  });

  it('is moved by a seek of any of them', () => {
    const { a, b } = world();
    const s = a.streams.share(a.open());
    const here = b.adopt(a.streams.describe(s));
    expect(a.run(a.streams.seek(s, 10, 'start'))).toBe(10);
    expect(b.run(b.streams.seek(here, 2, 'current'))).toBe(12);
    expect([a.read(s, 1), b.run(b.streams.seek(here, -1, 'end')), a.read(s, 5)]).toEqual(['m', 25, 'z']);
    expect(b.run(b.streams.seek(here, -99, 'current'))).toBe('badArgument');
  });

  it('is the newest that anybody knows after the server has forgotten it', () => {
    const { network, a, b, c } = world();
    const s = a.streams.share(a.streams.share(a.open()));
    const two = b.adopt(a.streams.describe(s));
    const three = c.adopt(a.streams.describe(s));
    expect([a.read(s, 1), b.read(two, 1), c.read(three, 3)]).toEqual(['a', 'b', 'cde']);
    network.hosts.set(hostId(1), new Host(network, 1, true));
    expect([a.read(s, 1), b.read(two, 1), c.read(three, 1)]).toEqual(['f', 'g', 'h']);
  });

  it('is known where the newest reader has closed the stream, should the server forget it then', () => {
    const { network, a, b } = world();
    const s = a.streams.share(a.open());
    const here = b.adopt(a.streams.describe(s));
    expect([a.read(s, 2), b.read(here, 3)]).toEqual(['ab', 'cde']);
    b.run(b.streams.close(here));
    network.hosts.set(hostId(1), new Host(network, 1, true));
    expect([a.read(s, 2), s.shared]).toEqual(['fg', false]);
  });

  it('is not waited for from the dead', () => {
    const { network, a, b } = world();
    const s = a.streams.share(a.open());
    const here = b.adopt(a.streams.describe(s));
    expect([a.read(s, 2), b.read(here, 2)]).toEqual(['ab', 'cd']);
    network.hosts.set(hostId(1), new Host(network, 1, true));
    a.die();
    expect([b.read(here, 2), here.shared]).toEqual(['ef', false]);
  });
});

describe('a crash in the middle of a move', () => {
  it('of the target leaves no use at the server', () => {
    const { network, server, a, b } = world();
    const m = a.streams.describe(a.open());
    network.before = (name) => {
      if (name === 'release') b.die();
    };
    b.spawn(b.streams.adopt(m));
    network.engine.run();
    expect([server.uses.get(a.host), server.uses.get(b.host) ?? 0]).toEqual([0, 0]);
    expect([a.streams.withdraw(m), a.machine.metric('streams.open')]).toEqual([false, 0]);
  });

  it('of the source fails it', () => {
    const { network, server, a, b } = world();
    const m = a.streams.describe(a.open());
    network.before = (name) => {
      if (name === 'release') a.die();
    };
    expect(b.run(b.streams.adopt(m))).toBe('peerDown');
    expect([server.uses.get(b.host) ?? 0, b.machine.metric('streams.open')]).toEqual([0, 0]);
    expect(server.machine.metric('streams.shadows')).toBe(0);
  });

  it('of the server fails it; what was not fetched can be withdrawn', () => {
    const { network, server, a, b } = world();
    const s = a.streams.share(a.open());
    const m = a.streams.describe(s);
    network.before = (name) => {
      if (name === 'migrate') server.die();
    };
    expect(b.run(b.streams.adopt(m))).toBe('peerDown');
    expect([a.streams.withdraw(m), a.read(s, 2)]).toEqual([true, 'ab']);
  });
});
