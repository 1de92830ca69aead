/** Rules: faults on the link. */
import { ms } from '@backplane/engine';
import type { LinkVerdict } from '@backplane/slots';
import { digest, filled } from '../bytes.ts';
import { type Check, holds, same } from '../check.ts';
import type { Bounds } from './under-test.ts';
import { everybody, keyOf, World } from './world.ts';

const names = ['a', 'b', 'c'];

/** When frame 1 reaches b under a verdict, after it would have without one. */
const lateness = (bounds: Bounds, verdict: LinkVerdict): number[] => {
  const arrivals = (v: LinkVerdict): number[] => {
    const w = new World(bounds, names);
    w.medium.addRule({ name: 'fault', judge: () => v });
    w.station(0).send(w.station(0).frame(w.station(1).address, 1));
    w.rest();
    return w.station(1).arrived.map(({ atNs }) => atNs);
  };
  const [plain = 0] = arrivals('pass');
  return arrivals(verdict).map((atNs) => atNs - plain);
};

export const ruleClauses = (bounds: Bounds): readonly Check[] => [
  {
    name: 'a rule is asked for each frame and each station that would get it, by their names',
    run: () => {
      const w = new World(bounds, names);
      const asked: string[] = [];
      w.medium.addRule({
        name: 'note',
        judge: (frame, from, to) => {
          asked.push(`${keyOf(frame)} ${from} ${to}`);
          return 'pass';
        },
      });
      const a = w.station(0);
      a.sendAll([a.frame(w.station(1).address, 1), a.frame(everybody, 2)]);
      w.rest();
      same('asked', asked, ['1 a b', '2 a b', '2 a c']);
    },
  },
  {
    name: 'the first rule that does not pass decides, in the order in which they were added',
    run: () => {
      const w = new World(bounds, names);
      const asked: string[] = [];
      const rule = (name: string, verdict: LinkVerdict): (() => void) =>
        w.medium.addRule({
          name,
          judge: () => {
            asked.push(name);
            return verdict;
          },
        });
      rule('first', 'pass');
      const undo = rule('second', 'drop');
      rule('third', { delayNs: ms(1) });
      const [a, b] = [w.station(0), w.station(1)];
      a.send(a.frame(b.address, 1));
      w.rest();
      same('asked', asked, ['first', 'second']);
      same('arrived', b.keys, []);
      undo();
      undo();
      a.send(a.frame(b.address, 2));
      w.rest();
      same('asked', asked.slice(2), ['first', 'third']);
      same('arrived', b.keys, [2]);
    },
  },
  {
    name: 'drop: the sender is told true, and nobody gets it',
    run: () => {
      const w = new World(bounds, names);
      w.medium.addRule({ name: 'loss', judge: (_frame, _from, to) => (to === 'b' ? 'drop' : 'pass') });
      const ended = w.station(0).send(w.station(0).frame(everybody, 1));
      w.rest();
      same('sent', ended.delivered ?? null, true);
      same(
        'arrivals',
        w.stations.map((s) => s.arrived.length),
        [0, 0, 1],
      );
    },
  },
  {
    name: 'a delay is as long as it says, and lets later frames pass',
    run: () => {
      same('late', lateness(bounds, { delayNs: ms(7) }), [ms(7)]);
      const w = new World(bounds, names);
      w.medium.addRule({
        name: 'late',
        judge: (frame) => (keyOf(frame) === 1 ? { delayNs: ms(50) } : 'pass'),
      });
      const [a, b] = [w.station(0), w.station(1)];
      a.sendAll([a.frame(b.address, 1), a.frame(b.address, 2)]);
      w.rest();
      same('order', b.keys, [2, 1]);
    },
  },
  {
    name: 'copies come as often as it says, spaced',
    run: () => {
      same('late', lateness(bounds, { copies: 3, spacingNs: ms(2) }), [0, ms(2), ms(4)]);
    },
  },
  {
    name: 'damage makes a new frame, marked unless it is undetected; the sender’s bytes and other stations’ stay whole',
    run: () => {
      for (const undetected of [false, true]) {
        const w = new World(bounds, names);
        w.medium.addRule({
          name: 'damage',
          judge: (_frame, _from, to) =>
            to === 'b'
              ? { damage: (payload) => filled(payload.length, 9), ...(undetected && { undetected: true }) }
              : 'pass',
        });
        const frame = w.station(0).frame(everybody, 1, 200);
        const before = digest(frame.payload());
        w.station(0).send(frame);
        w.rest();
        const [b, c] = [w.station(1).arrived[0]?.frame, w.station(2).arrived[0]?.frame];
        holds('both arrived', b !== undefined && c !== undefined);
        if (b === undefined || c === undefined) continue;
        same('damaged', [b.damaged, c.damaged], [!undetected, false]);
        same('bytes', [digest(b.payload()), digest(c.payload())], [digest(filled(200, 9)), before]);
        same('the frame that was sent', digest(frame.payload()), before);
      }
    },
  },
  {
    name: 'a partition keeps frames out both ways while it lasts',
    run: () => {
      const w = new World(bounds, names);
      const [a, b, c] = [w.station(0), w.station(1), w.station(2)];
      const undo = w.medium.addRule({
        name: 'partition',
        judge: (_frame, from, to) => ((from === 'a') !== (to === 'a') ? 'drop' : 'pass'),
      });
      const round = (key: number): void => {
        a.send(a.frame(everybody, key));
        w.rest();
        b.send(b.frame(everybody, key + 1));
        w.rest();
      };
      round(1);
      undo();
      round(11);
      same('arrivals', [a.keys, b.keys, c.keys], [[12], [11], [2, 11, 12]]);
    },
  },
  {
    name: 'a rule that was taken back is not asked; taking it back again does nothing',
    run: () => {
      const w = new World(bounds, names);
      const [a, b] = [w.station(0), w.station(1)];
      const rule = { name: 'all', judge: () => 'drop' as const };
      const undos = [w.medium.addRule(rule), w.medium.addRule(rule)];
      const arrives = (key: number): boolean => {
        a.send(a.frame(b.address, key));
        w.rest();
        return b.keys.includes(key);
      };
      undos[0]?.();
      undos[0]?.();
      same('one of two is left', arrives(1), false);
      undos[1]?.();
      same('none is left', arrives(2), true);
    },
  },
];
