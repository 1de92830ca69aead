/** Who gets a frame, and with which bytes. */
import { digest } from '../bytes.ts';
import { type Check, holds, same } from '../check.ts';
import type { Bounds } from './under-test.ts';
import { everybody, group, keyOf, type Tried, World } from './world.ts';

const names = ['a', 'b', 'c', 'd'];

export const deliveryClauses = (bounds: Bounds): readonly Check[] => [
  {
    name: 'a frame for a station reaches that one and nobody else, with the bytes that were sent',
    run: () => {
      const w = new World(bounds, names);
      for (const [key, length] of [1, 45, 46, 47, 1000, w.medium.mtuBytes].entries()) {
        const frame = w.station(0).frame(w.station(2).address, key, length);
        const bytes = digest(frame.payload());
        w.station(0).send(frame);
        w.rest();
        const got = w.station(2).arrived.at(-1)?.frame;
        same(`${length} bytes`, got === undefined ? null : digest(got.payload()), bytes);
        same(
          'addresses and type',
          [got?.source ?? 0, got?.destination ?? 0, got?.type ?? 0],
          [frame.source, frame.destination, frame.type],
        );
        same('damaged', got?.damaged ?? true, false);
      }
      same(
        'arrivals',
        w.stations.map((s) => s.arrived.length),
        [0, 0, 6, 0],
      );
    },
  },
  {
    name: 'a broadcast reaches everybody but its sender, whether they listen to a group or not',
    run: () => {
      const w = new World(bounds, names);
      w.station(1).send(w.station(1).frame(everybody, 5));
      w.rest();
      same(
        'arrivals',
        w.stations.map((s) => s.keys),
        [[5], [], [5], [5]],
      );
    },
  },
  {
    name: 'a frame for a group reaches those who listen to it, at the time of its arrival',
    run: () => {
      const w = new World(bounds, names);
      w.station(1).listens = true;
      w.station(3).listens = true;
      w.station(0).send(w.station(0).frame(group, 5));
      w.rest();
      w.station(3).listens = false;
      w.station(1).send(w.station(1).frame(group, 6));
      w.rest();
      same(
        'arrivals',
        w.stations.map((s) => s.keys),
        [[], [5], [], [5]],
      );
    },
  },
  {
    name: 'a frame for an address that nobody has is carried and reaches nobody',
    run: () => {
      const w = new World(bounds, names);
      const ended = w.station(0).send(w.station(0).frame(0x02_00_00_00_00_99, 1));
      w.rest();
      same('sent', [ended.delivered ?? null, ended.times], [true, 1]);
      same(
        'arrivals',
        w.stations.map((s) => s.arrived.length),
        [0, 0, 0, 0],
      );
    },
  },
  {
    name: 'frames of one station arrive in the order in which they were sent',
    run: () => {
      const w = new World(bounds, names);
      const keys = Array.from({ length: 50 }, (_, i) => i);
      const [a, b] = [w.station(0), w.station(1)];
      a.sendAll(keys.map((key) => a.frame(b.address, key, 50 + ((key * 333) % 1400))));
      w.rest();
      same('keys', b.keys, keys);
    },
  },
  {
    name: 'all stations that send at once get their frames across: sent is called once for each, and says true only of what arrived',
    run: () => {
      const w = new World(bounds, ['a', 'b', 'c', 'd', 'e', 'f']);
      const target = w.station(0);
      const told = new Map<number, boolean[]>();
      const go = (s: Tried, place: number, n: number): void => {
        const key = place * 20 + n;
        if (n === 20) return;
        told.set(key, []);
        s.attachment.send(s.frame(target.address, key, 200), (delivered) => {
          told.get(key)?.push(delivered);
          go(s, place, n + 1);
        });
      };
      for (const [place, s] of w.stations.slice(1).entries()) go(s, place, 0);
      w.rest();
      same('frames', told.size, 100);
      for (const [key, all] of told) {
        same(`times that sent was called for frame ${key}`, all.length, 1);
        same(`frame ${key} arrived`, target.keys.filter((k) => k === key).length, all[0] === true ? 1 : 0);
      }
      for (const s of [0, 1, 2, 3, 4]) {
        const own = target.keys.filter((k) => Math.floor(k / 20) === s);
        holds(
          'in order',
          own.every((k, i) => i === 0 || k > (own[i - 1] ?? 0)),
        );
      }
    },
  },
  {
    name: 'who has detached gets nothing more and sends nothing more; the others go on',
    run: () => {
      const w = new World(bounds, names);
      const [a, b, c] = [w.station(0), w.station(1), w.station(2)];
      b.attachment.detach();
      b.attachment.detach();
      a.sendAll([a.frame(b.address, 1), a.frame(everybody, 2)]);
      w.rest();
      same('arrivals', [b.keys, c.keys], [[], [2]]);
    },
  },
  {
    name: 'an aborted frame is not told to be sent, and the station sends the next one',
    run: () => {
      const w = new World(bounds, names);
      const [a, b] = [w.station(0), w.station(1)];
      const aborted = a.send(a.frame(b.address, 1, 1000));
      w.rest(10_000);
      a.attachment.abort();
      const next = a.send(a.frame(b.address, 2, 1000));
      w.rest();
      same('the aborted one', aborted.times, 0);
      same('the next one', [next.delivered ?? null, next.times], [true, 1]);
      same('arrived whole', b.keys, [2]);
      a.attachment.abort();
      same('an abort of nothing', b.keys, [2]);
    },
  },
  {
    name: 'taps see every frame that was carried, before anybody gets it, with its sender and when its first bit was sent',
    run: () => {
      const w = new World(bounds, names);
      const [a, b] = [w.station(0), w.station(1)];
      const seen: number[][] = [];
      let startedNs = -1;
      const undo = w.medium.tap((frame, startNs, from) => {
        seen.push([keyOf(frame), b.arrived.length, from === 'a' ? 1 : 0]);
        startedNs = startNs;
      });
      w.rest(1_000_000);
      const atNs = w.engine.nowNs;
      const ended = a.send(a.frame(b.address, 7, 1000));
      w.rest();
      same('seen', seen, [[7, 0, 1]]);
      holds('first bit', startedNs >= atNs && startedNs < (ended.atNs ?? 0));
      // Also what a fault keeps from its station was carried.
      w.medium.addRule({ name: 'all', judge: () => 'drop' });
      a.send(a.frame(b.address, 8));
      w.rest();
      same(
        'seen though dropped',
        seen.map(([key]) => key ?? -1),
        [7, 8],
      );
      undo();
      undo();
      a.send(a.frame(b.address, 9));
      w.rest();
      same('seen after it was taken back', seen.length, 2);
    },
  },
];
