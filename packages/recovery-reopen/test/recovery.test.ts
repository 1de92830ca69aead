import { Engine, ms, type Scope, seconds, sleep, type Task } from '@backplane/engine';
import { End, Net } from '@backplane/rpc-service/testing';
import { type HostId, hostId, KernelError, type Recovery } from '@backplane/slots';
import { type TestMachine, testMachine } from '@backplane/slots/testing';
import { describe, expect, it } from 'vitest';
import { type ReopenRecoveryOptions, reopenRecovery } from '../src/index.ts';

class Host {
  readonly id: HostId;
  readonly #net: Net;
  readonly #engine: Engine;
  readonly #options: ReopenRecoveryOptions;
  #boots = 0;
  scope: Scope;
  machine: TestMachine;
  end: End;
  recovery: Recovery;

  constructor(net: Net, engine: Engine, id: number, options: ReopenRecoveryOptions) {
    this.id = hostId(id);
    this.#net = net;
    this.#engine = engine;
    this.#options = options;
    this.machine = undefined as never;
    this.scope = undefined as never;
    this.end = undefined as never;
    this.recovery = undefined as never;
    this.boot();
  }

  /** @param withBoard false: a kernel without a recovery board */
  boot(withBoard: boolean = true): void {
    const bootId = 1000 * ++this.#boots + this.id;
    this.machine = testMachine({ engine: this.#engine, host: this.id, name: `host${this.id}`, bootId });
    this.scope = this.machine.scope;
    this.end = new End(this.#net, this.id, bootId, this.scope);
    if (!withBoard) return;
    const granted = { transport: this.end, wrapped: new Map() };
    this.recovery = reopenRecovery(this.#options).create(granted as never, this.machine);
  }

  crash(): void {
    this.scope.crash();
  }

  metric(name: string): number {
    return this.machine.metric(`recovery.${name}`) ?? 0;
  }
}

class World {
  readonly engine: Engine = new Engine({ seed: 1 });
  readonly net: Net = new Net(this.engine);
  readonly server: Host;
  readonly client: Host;
  /** What was reopened, in order. */
  readonly log: string[] = [];

  constructor(options: ReopenRecoveryOptions = {}) {
    this.server = new Host(this.net, this.engine, 1, options);
    this.client = new Host(this.net, this.engine, 2, options);
  }

  /** A board of the client that takes a moment in its pass. */
  board(
    name: string,
    pass: 'prefixes' | 'handles' | 'streams' | 'wake',
    tookNs: number = ms(10),
  ): () => void {
    const { log, server, client } = this;
    return client.recovery.register({
      name,
      pass,
      *reopen(host) {
        log.push(`${name}${server.recovery.admits(client.id, client.end.bootId) ? ' admitted' : ''}`);
        yield* sleep(tookNs);
        if (host !== server.id) throw new Error('another server');
      },
    });
  }

  drive<T>(body: () => Task<T>): T {
    const { engine } = this;
    const results: T[] = [];
    const thread = engine.root.spawn(
      'driver',
      (function* (): Task<void> {
        results.push(yield* body());
        engine.stop();
      })(),
    );
    engine.run();
    if (!thread.ended) throw new Error('the driver hangs');
    return results[0] as T;
  }
}

const tells = (w: World): number => w.net.log.filter((l) => l === 'recovery 2>1').length;

describe('a server that comes back', () => {
  it('is reopened in the order of the passes, whatever the order in which boards registered', () => {
    const w = new World();
    const seen = w.drive(function* () {
      w.board('sleepers', 'wake');
      w.board('files', 'handles');
      w.board('streams', 'streams');
      w.board('prefixes', 'prefixes');
      w.board('devices', 'handles');
      w.client.end.peers.watch(w.server.id);
      yield* sleep(seconds(1));
      w.server.crash();
      w.server.boot();
      yield* sleep(seconds(10));
      return [w.log, tells(w), w.client.metric('recoveries')];
    });
    expect(seen).toEqual([['prefixes', 'files', 'devices', 'streams', 'sleepers'], 2, 1]);
  });

  it('refuses the client’s opens until its reopening is complete, and other clients’ never', () => {
    const w = new World();
    const seen = w.drive(function* () {
      w.board('files', 'handles', ms(100));
      const before = w.server.recovery.admits(w.client.id, w.client.end.bootId);
      const waiting = w.client.scope.spawn('waits', w.client.recovery.await(w.server.id));
      yield* sleep(seconds(3));
      const verdict = yield* waiting.join();
      return [
        before,
        w.log, // without "admitted"
        verdict,
        w.server.recovery.admits(w.client.id, w.client.end.bootId),
        w.server.recovery.admits(hostId(3), 1),
        w.server.metric('opensRefused'),
      ];
    });
    expect(seen).toEqual([true, ['files'], 'retry', true, true, 1]);
  });

  it('admits a client that died in its reopening and came back as another boot', () => {
    const w = new World();
    const seen = w.drive(function* () {
      w.board('files', 'handles', seconds(100));
      w.client.scope.spawn('waits', w.client.recovery.await(w.server.id));
      yield* sleep(seconds(3));
      const { bootId } = w.client.end;
      const during = w.server.recovery.admits(w.client.id, bootId);
      w.client.crash();
      w.client.boot();
      return [during, w.server.recovery.admits(w.client.id, w.client.end.bootId)];
    });
    expect(seen).toEqual([false, true]);
  });

  it('without a recovery board has nothing to be told, and is reopened all the same', () => {
    const w = new World();
    const seen = w.drive(function* () {
      w.server.crash();
      w.server.boot(false);
      w.client.recovery.register({
        name: 'files',
        pass: 'handles',
        *reopen() {
          w.log.push('files');
        },
      });
      return [yield* w.client.recovery.await(w.server.id), w.log];
    });
    expect(seen).toEqual(['retry', ['files']]);
  });
});

describe('waiting for a server', () => {
  it('lasts as long as the server is away, and all who wait share one recovery', () => {
    const w = new World();
    const seen = w.drive(function* () {
      w.board('files', 'handles');
      w.server.crash();
      const threads = [1, 2, 3].map(() =>
        w.client.scope.spawn('waits', w.client.recovery.await(w.server.id)),
      );
      yield* sleep(seconds(1000));
      const ended = threads.some((t) => t.ended);
      w.server.boot();
      const verdicts: string[] = [];
      for (const t of threads) verdicts.push(yield* t.join());
      return [ended, verdicts, w.client.metric('recoveries'), w.log];
    });
    expect(seen).toEqual([false, ['retry', 'retry', 'retry'], 1, ['files']]);
  });

  it('may be given up by those who do not want to wait; the recovery goes on', () => {
    const w = new World({ giveUpSeconds: 60 });
    const seen = w.drive(function* () {
      w.board('files', 'handles');
      w.server.crash();
      const startNs = w.engine.nowNs;
      const verdict = yield* w.client.recovery.await(w.server.id);
      const waited = Math.round((w.engine.nowNs - startNs) / 1e9);
      w.server.boot();
      yield* sleep(seconds(20));
      return [verdict, waited, w.log, w.client.metric('gaveUp')];
    });
    expect(seen).toEqual(['give-up', 60, ['files'], 1]);
  });

  it('may be cancelled without harm to the others', () => {
    const w = new World();
    const seen = w.drive(function* () {
      w.server.crash();
      const one = w.client.scope.spawn('waits', w.client.recovery.await(w.server.id));
      const two = w.client.scope.spawn('waits', w.client.recovery.await(w.server.id));
      yield* sleep(seconds(10));
      one.cancel();
      w.server.boot();
      return yield* two.join();
    });
    expect(seen).toBe('retry');
  });
});

describe('a server that goes away again', () => {
  it('in a pass is reopened from the start when it is back', () => {
    const w = new World();
    const seen = w.drive(function* () {
      w.board('prefixes', 'prefixes');
      let fails = 2;
      w.client.recovery.register({
        name: 'files',
        pass: 'handles',
        *reopen() {
          w.log.push('files');
          if (fails-- > 0) throw new KernelError('peerDown');
        },
      });
      const verdict = yield* w.client.recovery.await(w.server.id);
      return [verdict, w.log.join(' '), w.client.metric('restarts')];
    });
    expect(seen).toEqual(['retry', 'prefixes files prefixes files prefixes files', 2]);
  });

  it('between two passes, so quickly that nobody noticed, is found out when all is complete', () => {
    const w = new World();
    const seen = w.drive(function* () {
      w.board('files', 'handles');
      let quick = true;
      w.client.recovery.register({
        name: 'streams',
        pass: 'streams',
        *reopen() {
          w.log.push('streams');
          if (quick) {
            w.server.crash();
            w.server.boot();
          }
          quick = false;
        },
      });
      yield* w.client.recovery.await(w.server.id);
      return w.log.map((l) => l.split(' ')[0]);
    });
    expect(seen).toEqual(['files', 'streams', 'files', 'streams']);
  });

  it('or thinks that the client has, is reopened from the start', () => {
    const w = new World();
    const seen = w.drive(function* () {
      let first = true;
      w.client.recovery.register({
        name: 'files',
        pass: 'handles',
        *reopen() {
          w.log.push('files');
          if (!first) return;
          first = false;
          // The server calls this host while it cannot be heard, and forgets it.
          w.net.cut(w.client.id, w.server.id);
          const unwatch = w.server.end.peers.watch(w.client.id);
          yield* sleep(seconds(3));
          w.net.mend(w.client.id, w.server.id);
          unwatch();
        },
      });
      yield* w.client.recovery.await(w.server.id);
      return w.log;
    });
    expect(seen).toEqual(['files', 'files']);
  });
});

describe('passes', () => {
  it('are each board’s own: what one cannot reopen does not keep the others from it', () => {
    const w = new World();
    const seen = w.drive(function* () {
      w.client.recovery.register({
        name: 'broken',
        pass: 'handles',
        *reopen() {
          throw new KernelError('ioError');
        },
      });
      w.board('files', 'handles');
      return [yield* w.client.recovery.await(w.server.id), w.log, w.client.metric('failedPasses')];
    });
    expect(seen).toEqual(['retry', ['files'], 1]);
  });

  it('are left out when their board takes them back', () => {
    const w = new World();
    const seen = w.drive(function* () {
      const undo = w.board('files', 'handles');
      undo();
      undo();
      w.board('streams', 'streams');
      yield* w.client.recovery.await(w.server.id);
      return w.log;
    });
    expect(seen).toEqual(['streams']);
  });
});

describe('nothing happens', () => {
  it('while nothing is wrong', () => {
    const w = new World();
    w.board('files', 'handles');
    w.engine.run();
    expect(w.engine.nowNs).toBe(0);
    expect(w.net.log).toEqual([]);
  });
});
