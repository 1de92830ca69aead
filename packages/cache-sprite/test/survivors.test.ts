/** Clients whose dirty blocks survive their crashes. There is no recovery board here: the protocol helps itself. */
import { ms, seconds, sleep, type Task, type TraceEvent } from '@backplane/engine';
import { describe, expect, it } from 'vitest';
import { World } from './world.ts';

const world = (): World => new World({ nvramBlocks: 100 });

function* nothing(): Task<void> {}

function* reboot(w: World): Task<void> {
  w[0].crash();
  w[0].boot();
  yield* sleep(seconds(20));
}

describe('what survives a crash of its client', () => {
  it('is given to the server, with the size that the file had', () => {
    const w = world();
    const seen = w.drive(function* () {
      yield* w[0].put('/f', 'x'.repeat(5000));
      yield* w[0].put('/f', 'y', 4999);
      yield* reboot(w);
      return [yield* w[1].get('/f'), w[0].nvram?.blocks];
    });
    expect(seen).toEqual([`${'x'.repeat(4999)}y`, 0]);
    expect(w[0].metric('survivorsRestored')).toBe(2);
  });

  it('is on the disk there before it leaves the memory', () => {
    const w = world();
    const seen = w.drive(function* () {
      yield* w[0].put('/f', 'kept');
      yield* reboot(w);
      w[0].crash();
      w.server.crash();
      w.server.boot();
      return yield* w[1].get('/f');
    });
    expect(seen).toBe('kept');
  });

  it('is admitted though the reply to its first reopening was lost with both, client and server', () => {
    const w = world();
    const seen = w.drive(function* () {
      yield* w[0].put('/f', 'kept');
      w[0].crash();
      // The server makes a version for it, syncs that, and is not heard any more.
      let restores = 0;
      w.net.delayNs = (e) =>
        e.procedure === 'restore' && e.reply && restores++ === 0 ? seconds(1000) : ms(1);
      w[0].boot();
      yield* sleep(seconds(2));
      const version = (yield* w.server.stat('/f')).version;
      w[0].crash();
      w.server.crash();
      w.server.boot();
      w[0].boot();
      yield* sleep(seconds(40));
      return [restores > 0, (yield* w.server.stat('/f')).version > version, yield* w[1].get('/f')];
    });
    expect(seen).toEqual([true, true, 'kept']);
  });

  it('makes a version, so that who has read meanwhile does not go on with old copies', () => {
    const w = world();
    const seen = w.drive(function* () {
      yield* w.server.put('/f', 'old');
      const f = yield* w[0].open('/f', { write: true });
      yield* f.write('new');
      w[0].crash();
      const during = yield* w[1].get('/f');
      w[0].boot();
      yield* sleep(seconds(20));
      return [during, yield* w[1].get('/f')];
    });
    expect(seen).toEqual(['old', 'new']);
  });

  it('is what a program of the rebooted client finds, if that is quicker than the server', () => {
    const w = world();
    const seen = w.drive(function* () {
      yield* w[0].put('/f', 'kept');
      w[0].crash();
      w.net.delayNs = (e) => (e.procedure === 'restore' ? seconds(3) : ms(1));
      w[0].boot();
      const f = yield* w[0].open('/f', { read: true, write: true });
      yield* f.write('!', 'end');
      const here = yield* f.read();
      yield* sleep(seconds(60));
      yield* f.close();
      return [here, yield* w[1].get('/f')];
    });
    expect(seen).toEqual(['kept!', 'kept!']);
  });

  it('is let go when the file was emptied by the client itself, in an open that it did not live to see', () => {
    const w = world();
    const seen = w.drive(function* () {
      yield* w.server.put('/f', 'x'.repeat(3 * 4096));
      yield* w[0].put('/f', 'to be emptied', 4096);
      w.net.delayNs = (e) => (e.procedure === 'open' && e.reply ? seconds(2) : ms(1));
      w[0].spawn(w[0].open('/f', { write: true, truncate: true }));
      yield* sleep(seconds(1));
      w[0].crash();
      w.net.delayNs = () => ms(1);
      w[0].boot();
      yield* sleep(seconds(40));
      return [yield* w[1].get('/f'), w[0].nvram?.blocks];
    });
    expect(seen).toEqual(['', 0]);
  });

  it('is cut with the file that a crashed server has not cut', () => {
    const w = world();
    const seen = w.drive(function* () {
      yield* w.server.put('/f', 'x'.repeat(9000));
      yield* w.server.storage?.sync() ?? nothing();
      const f = yield* w[0].open('/f', { write: true, truncate: true });
      yield* f.write('short');
      w[0].crash();
      w.server.crash();
      w.server.boot();
      w[0].boot();
      yield* sleep(seconds(40));
      return yield* w[1].get('/f');
    });
    expect(seen).toBe('short');
  });

  it('without words, or of two labels for one file the elder, is forgotten', () => {
    const w = world();
    const seen = w.drive(function* () {
      const nvram = w[0].nvram;
      nvram?.tryPut('sprite/nonsense', 0, 0, new Uint8Array(5));
      yield* w[0].put('/f', 'elder');
      const elder = nvram?.labels().at(-1);
      w[0].crash();
      yield* w[1].get('/f');
      w[0].boot();
      yield* sleep(seconds(20));
      // As if an earlier boot had left it.
      nvram?.tryPut('sprite/elder', 0, 0, new Uint8Array(5));
      nvram?.tell('sprite/elder', elder?.words ?? []);
      yield* w[0].put('/f', 'young');
      yield* reboot(w);
      return [yield* w[1].get('/f'), nvram?.labels(), w[0].metric('survivorsRefused')];
    });
    expect(seen).toEqual(['young', [], 1]);
  });

  it('stays where it is in a boot without page frames for it, and is given back in the next one that has them', () => {
    const w = new World({ nvramBlocks: 100, blocksMax: 4 });
    const seen = w.drive(function* () {
      yield* w[0].put('/f', 'x'.repeat(3 * 4096));
      const label = w[0].nvram?.labels()[0]?.label ?? '';
      for (const n of [3, 4]) w[0].nvram?.tryPut(label, n, 0, new Uint8Array(1));
      yield* reboot(w);
      const left = w[0].nvram?.blocks;
      for (const n of [3, 4]) w[0].nvram?.drop(label, n);
      yield* reboot(w);
      return [left, w[0].nvram?.blocks, (yield* w[1].get('/f')).length];
    });
    expect(seen).toEqual([5, 0, 3 * 4096]);
  });

  it('is told to those who listen to the trace', () => {
    const w = world();
    const outcomes: string[] = [];
    w.engine.trace.listen(['files.survivors'], (e: TraceEvent) => {
      if (e.kind === 'files.survivors') outcomes.push(`${e.fields.blocks} ${e.fields.outcome}`);
    });
    w.drive(function* () {
      yield* w[0].put('/f', 'x');
      yield* w[0].put('/g', 'x');
      w[0].crash();
      yield* w[1].put('/g', 'y');
      w[0].boot();
      yield* sleep(seconds(20));
    });
    expect(outcomes).toEqual(['1 found', '1 found', '1 refused', '1 admitted']);
  });
});
