/** Crashes of clients and servers, and partitions, over real kernels with the recovery board. */

import { seconds, sleep, type Task } from '@backplane/engine';
import { partitionRule } from '@backplane/hw-ethernet';
import { describe, expect, it } from 'vitest';
import { bytes, failure, get, put, text, World } from './world.ts';

describe('a client crash', () => {
  it('costs what was dirty: others see the old bytes, and may cache the file', () => {
    const w = new World();
    const seen = w.drive(function* () {
      yield* w.on(w.server, (sys) => put(sys, '/f', 'old'));
      w.start(w.client(0), function* (sys) {
        const fd = yield* sys.open('/f', { write: true });
        yield* sys.write(fd, bytes('new'));
        yield* sys.sleep(seconds(1000));
      });
      yield* sleep(seconds(5));
      w.client(0).crash();
      const content = yield* w.on(w.client(1), (sys) => get(sys, '/f'));
      yield* w.on(w.client(1), (sys) => put(sys, '/f', 'own'));
      return [content, w.metric('bytesWrittenCached')];
    });
    expect(seen).toEqual(['old', 6]);
    expect(w.metric('clientsDropped')).toBe(1);
  });
});

describe('a server crash', () => {
  it('is waited out by programs, and nothing that was promised is lost', () => {
    const w = new World();
    const seen = w.drive(function* () {
      yield* w.on(w.client(1), (sys) => put(sys, '/dirty', 'closed and dirty'));
      const program = w.start(w.client(0), function* (sys) {
        const fd = yield* sys.open('/f', { read: true, write: true, create: true });
        yield* sys.write(fd, bytes('synced '));
        yield* sys.sync(fd);
        yield* sys.write(fd, bytes('cached '));
        yield* sys.sleep(seconds(20));
        yield* sys.write(fd, bytes('after'));
        yield* sys.stat('/f');
        yield* sys.close(fd);
      });
      yield* sleep(seconds(10));
      yield* w.reboot(w.server, 60);
      yield* program.join();
      return [
        yield* w.on(w.client(1), (sys) => get(sys, '/f')),
        yield* w.on(w.client(0), (sys) => get(sys, '/dirty')),
      ];
    });
    expect(seen).toEqual(['synced cached after', 'closed and dirty']);
    expect(w.metric('handlesReopened')).toBe(2);
    expect(w.cluster.metrics()['recovery.recoveries']).toBe(2);
  });

  it('loses what its own cache had not written, and only what no client has any more, where it delays', () => {
    const w = new World({ cache: { serverWrite: 'delayed' } });
    const seen = w.drive(function* () {
      yield* w.on(w.client(0), (sys) => put(sys, '/f', 'written back to a server’s cache'));
      yield* w.on(w.client(0), (sys) => sys.syncAll());
      yield* w.reboot(w.server);
      return yield* w.on(w.client(1), (sys) => get(sys, '/f'));
    });
    expect(seen).toBe('');
  });

  it.each(['last-dirty-block', 'write-backs'] as const)('loses none of that with %s', (serverWrite) => {
    const w = new World({ cache: { serverWrite } });
    const seen = w.drive(function* () {
      yield* w.on(w.client(0), (sys) => put(sys, '/f', 'x'.repeat(10_000)));
      yield* w.on(w.client(0), (sys) => sys.syncAll());
      yield* w.reboot(w.server);
      return (yield* w.on(w.client(1), (sys) => get(sys, '/f'))).length;
    });
    expect(seen).toBe(10_000);
  });

  it('gives an idle client its files back without its asking', () => {
    const w = new World();
    const seen = w.drive(function* () {
      yield* w.on(w.client(0), (sys) => put(sys, '/f', 'x'));
      w.start(w.client(0), function* (sys) {
        yield* sys.open('/f', { read: true });
        yield* sys.sleep(seconds(10_000));
      });
      yield* sleep(seconds(1));
      yield* w.on(w.client(0), (sys) => sys.syncAll());
      yield* w.reboot(w.server);
      yield* sleep(seconds(45));
      return w.metric('handlesReopened');
    });
    expect(seen).toBe(1);
  });

  it('leaves waiting programs the choice to give up, if that is set', () => {
    const w = new World({ recovery: { giveUpSeconds: 100 } });
    const seen = w.drive(function* () {
      yield* w.on(w.client(0), (sys) => put(sys, '/f', 'x'));
      w.server.crash();
      const startNs = w.nowNs;
      const kind = yield* w.on(w.client(0), (sys) => failure(sys.stat('/f')));
      return [kind, Math.round((w.nowNs - startNs) / 1e10) * 10];
    });
    expect(seen).toEqual(['noAnswer', 110]);
  });

  it('of which many clients recover at the same time ends well', () => {
    const w = new World({ clients: 8 });
    const seen = w.drive(function* () {
      const programs = w.clients.map((m, i) =>
        w.start(m, function* (sys) {
          const fds: number[] = [];
          for (let n = 0; n < 20; n++)
            fds.push(yield* sys.open(`/f${i}.${n}`, { read: true, write: true, create: true }));
          for (const fd of fds) yield* sys.write(fd, bytes(`client ${i}`));
          yield* sys.sleep(seconds(30));
          for (const fd of fds) yield* sys.writeAt(fd, 20, bytes('.'));
          for (const fd of fds) yield* sys.sync(fd);
          for (const fd of fds) yield* sys.close(fd);
        }),
      );
      yield* sleep(seconds(10));
      yield* w.reboot(w.server, 1);
      for (const p of programs) yield* p.join();
      const lengths = new Set<number>();
      yield* w.on(w.client(0), function* (sys) {
        for (let i = 0; i < 8; i++)
          for (let n = 0; n < 20; n++) lengths.add((yield* get(sys, `/f${i}.${n}`)).length);
      });
      return [...lengths];
    });
    expect(seen).toEqual([21]);
    expect(w.metric('handlesReopened')).toBeGreaterThanOrEqual(160);
    expect(w.metric('handlesLost')).toBe(0);
  });
});

describe('a partition', () => {
  const parted = (write: boolean): readonly unknown[] => {
    const w = new World();
    return w.drive(function* (): Task<readonly unknown[]> {
      yield* w.on(w.server, (sys) => put(sys, '/f', 'start'));
      const results: string[] = [];
      const program = w.start(w.client(0), function* (sys) {
        const fd = yield* sys.open('/f', { read: true, write: true });
        yield* sys.write(fd, bytes('mine!'));
        yield* sys.sleep(seconds(100));
        const kind = yield* failure(sys.readAt(fd, 0, 10));
        results.push(kind ?? text(yield* sys.readAt(fd, 0, 10)));
        yield* sys.close(fd);
      });
      yield* sleep(seconds(5));
      const rule = partitionRule(w.cluster.engine, [['client0'], ['allspice']]);
      const mend = w.cluster.medium.addRule(rule);
      if (write) yield* w.on(w.client(1), (sys) => put(sys, '/f', 'their'));
      else results.push(yield* w.on(w.client(1), (sys) => get(sys, '/f')));
      yield* sleep(seconds(5));
      mend();
      yield* program.join();
      yield* w.on(w.client(0), (sys) => sys.syncAll());
      results.push(yield* w.on(w.client(0), (sys) => get(sys, '/f')));
      return [...results, w.metric('handlesLost')];
    });
  };

  it('in which somebody else wrote makes the cut-off writer’s file stale', () => {
    expect(parted(true)).toEqual(['stale', 'their', 1]);
  });

  it('in which nobody wrote is like a reboot: the file is reopened, and its dirty blocks count', () => {
    expect(parted(false)).toEqual(['start', 'mine!', 'mine!', 0]);
  });
});
