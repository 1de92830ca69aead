/**
 * Frames of every kind come to the machines of a cluster whose programs work on files all the time. Nothing may come of it
 * but counts: no kernel breaks, no host hangs, and what the programs read is what they wrote.
 *
 * `npm test` sends 2,000 frames in each case; with BACKPLANE_FULL it is 100,000.
 */
import { ms, seconds, sleep, type Task } from '@backplane/engine';
import { memoryStorage } from '@backplane/fs-memory';
import { ofsFormat } from '@backplane/fs-ofs';
import { type Calls, isKernelError } from '@backplane/slots';
import { describe, expect, it } from 'vitest';
import { type Carriage, World } from './cluster.ts';
import { mustBeCounted } from './counted.ts';
import { Forge } from './forge.ts';
import { OtherContent, round } from './work.ts';

const frames = process.env['BACKPLANE_FULL'] === undefined ? 2000 : 100_000;
const carriages: readonly Carriage[] = ['Sprite RPC', 'Sun RPC'];
const timeout = 1_800_000;

/** A forge that captures what the machines of the cluster send. */
function forgeIn(w: World, honest: boolean): Forge {
  const random = w.cluster.engine.random('forge');
  const stations = w.cluster.machines.map((m) => m.board('nic').address);
  const forge = new Forge(random, stations, honest);
  w.cluster.medium.tap((frame, _, from) => {
    if (from !== 'intruder' && random.chance(0.3)) forge.capture(frame);
  });
  return forge;
}

/**
 * Sends so many frames; how often which metric has to have counted one. Not faster than a server gives up callbacks to the
 * forger's silent hosts: each holds one of its eight channels for seconds, and real clients would wait for one.
 */
function* attack(w: World, forge: Forge, count: number): Task<Map<string, number>> {
  const random = w.cluster.engine.random('attack');
  const expected = new Map<string, number>();
  for (let n = 0; n < count; n++) {
    const frame = forge.next();
    const carried = yield* w.inject(frame);
    for (const m of carried ? w.receivers(frame) : []) {
      const metric = mustBeCounted(frame, m.host, w.carriage);
      if (metric !== undefined) expected.set(metric, (expected.get(metric) ?? 0) + 1);
    }
    yield* sleep(random.below(ms(4)));
  }
  return expected;
}

/** All that lies below a directory. */
function* emptied(sys: Calls, directory: string): Task<void> {
  for (const entry of yield* sys.entries(directory === '' ? '/' : directory)) {
    const name = `${directory}/${entry}`;
    if ((yield* sys.stat(name, { follow: false })).type !== 'directory') yield* sys.unlink(name);
    else {
      yield* emptied(sys, name);
      yield* sys.rmdir(name);
    }
  }
}

describe.each(carriages)('hosts that speak %s', (carriage) => {
  it('work on through frames of every kind, count each malformed one, and read what they wrote', {
    timeout,
  }, () => {
    const w = new World(carriage, 1, { storage: { '/': memoryStorage() } });
    const random = w.cluster.engine.random('work');
    const forge = forgeIn(w, true);
    let rounds = 0;
    w.drive(function* () {
      let over = false;
      const programs = w.clients.map((m, me) =>
        w.start(m, function* (sys) {
          for (let n = 0; !over; n++) {
            yield* round(sys, me, n, random);
            rounds++;
          }
        }),
      );
      yield* sleep(seconds(1));
      const expected = yield* attack(w, forge, frames);
      over = true;
      for (const p of programs) expect(yield* p.join()).toBe(0);
      for (const name of [
        'network.damaged',
        'network.unclaimed',
        'arp.malformed',
        'ip.malformed',
        'rpc.malformed',
      ])
        expect(expected.get(name) ?? 0, name).toBeGreaterThan(frames / 400);
      for (const [name, count] of expected) expect(w.metric(name), name).toBeGreaterThanOrEqual(count);
    });
    expect(rounds).toBeGreaterThan(frames / 50);
  });

  it('break on nothing that is said in the name of others, and work when they are switched on again', {
    timeout,
  }, () => {
    const w = new World(carriage, 2);
    const random = w.cluster.engine.random('work');
    const forge = forgeIn(w, false);
    w.drive(function* () {
      for (let sent = 0; sent < frames; sent += 500) {
        for (const [me, m] of w.clients.entries())
          w.start(m, function* (sys) {
            for (let n = 0; ; n++) {
              try {
                yield* round(sys, me, n, random);
              } catch (e) {
                // Files may rightly be changed, and calls refused. A broken invariant is another matter.
                if (!isKernelError(e) && !(e instanceof OtherContent)) throw e;
                yield* sys.sleep(ms(10));
              }
            }
          });
        yield* sleep(seconds(1));
        yield* attack(w, forge, 500);
        for (const m of w.cluster.machines) m.crash();
        yield* w.cluster.bootAll();
        const cleaning = w.start(w.server, (sys) => emptied(sys, ''));
        expect(yield* cleaning.join()).toBe(0);
        const programs = w.clients.map((m, me) =>
          w.start(m, function* (sys) {
            for (let n = 0; n < 3; n++) yield* round(sys, me, n, random);
          }),
        );
        for (const p of programs) expect(yield* p.join()).toBe(0);
      }
      yield* w.server.halt();
    });
    const disk = w.server.board('disk', 'disk.0');
    const { sectorBytes, sectors } = disk;
    expect(ofsFormat.audit({ sectorBytes, sectors, read: (s, n) => disk.inspect(s, n) })).toEqual([]);
  });
});
