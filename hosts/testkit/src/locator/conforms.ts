/** The contract of the slot `locator`, clause by clause. */
import { ms, seconds, type Task } from '@backplane/engine';
import {
  type HostId,
  hostId,
  type KernelSpec,
  type LinkVerdict,
  type Locator,
  type StationAddress,
} from '@backplane/slots';
import { kindOf } from '@backplane/slots/testing';
import { type Check, holds, same, within } from '../check.ts';
import { onSegment } from '../neighbours.ts';
import { Rig } from '../rig.ts';

export interface LocatorUnderTest {
  /** The locator, and what it needs besides processors and an interface. */
  readonly boards: KernelSpec;
  /** How long a host that does not answer may be asked for, in seconds. Default 10. */
  readonly silenceSeconds?: number;
}

const names = ['a', 'b', 'c'] as const;
type HostName = (typeof names)[number];

class World {
  readonly rig: Rig;
  judge: (from: string, to: string) => LinkVerdict = () => 'pass';
  frames = 0;

  constructor(boards: KernelSpec) {
    const kernel = onSegment().with(boards);
    this.rig = new Rig(Object.fromEntries(names.map((name) => [name, kernel])));
    const { medium } = this.rig.cluster;
    medium.addRule({ name: 'faults of a check', judge: (_frame, from, to) => this.judge(from, to) });
    medium.tap(() => {
      this.frames++;
    });
  }

  host(name: HostName): HostId {
    return this.rig.machine(name).host;
  }

  locator(name: HostName): Locator {
    return this.rig.board(name, 'locator');
  }

  station(name: HostName): StationAddress {
    return this.rig.board(name, 'nic').address;
  }

  /** What a host finds, or the kind of the error. */
  *locate(from: HostName, host: HostId): Task<number | string> {
    let found: number | string = '';
    const locator = this.locator(from);
    const kind = yield* kindOf(
      (function* (): Task<void> {
        found = yield* locator.locate(host);
      })(),
    );
    return kind === 'ok' ? found : kind;
  }
}

const nobody = hostId(150);
/** A station that is none. */
const elsewhere: StationAddress = 0x02_00_00_00_00_77;

export function conformsToLocator({ boards, silenceSeconds = 10 }: LocatorUnderTest): readonly Check[] {
  return [
    {
      name: 'every host is located at its station, itself too',
      run: () => {
        const w = new World(boards);
        for (const from of names)
          for (const to of names)
            same(
              `${to} from ${from}`,
              w.rig.on(from, () => w.locate(from, w.host(to))),
              w.station(to),
            );
      },
    },
    {
      name: 'known tells what is known without asking anybody: what was located, and undefined before',
      run: () => {
        const w = new World(boards);
        same('before', w.locator('a').known(w.host('b')) ?? null, null);
        same('frames', w.frames, 0);
        w.rig.on('a', () => w.locate('a', w.host('b')));
        same('after', w.locator('a').known(w.host('b')) ?? null, w.station('b'));
        const { frames } = w;
        w.rig.on('a', () => w.locate('a', w.host('b')));
        same('frames for what is known', w.frames - frames, 0);
      },
    },
    {
      name: 'a host that nobody answers for is peerDown, for all who wait, after a time',
      run: () => {
        const w = new World(boards);
        const startNs = w.rig.nowNs;
        w.rig.drive(function* () {
          const threads = [1, 2, 3].map(() => w.rig.spawn('a', w.locate('a', nobody)));
          for (const t of threads) same('a host that is not there', yield* t.join(), 'peerDown');
        });
        within('seconds', (w.rig.nowNs - startNs) / 1e9, 0, silenceSeconds);
        same('what is known', w.locator('a').known(nobody) ?? null, null);
      },
    },
    {
      name: 'a host that was not there is found when it is: silence is not kept in mind',
      run: () => {
        const w = new World(boards);
        w.rig.crash('b');
        same(
          'while it is down',
          w.rig.on('a', () => w.locate('a', w.host('b'))),
          'peerDown',
        );
        w.rig.boot('b');
        same(
          'when it is up',
          w.rig.on('a', () => w.locate('a', w.host('b'))),
          w.station('b'),
        );
      },
    },
    {
      name: 'a lost question is asked again',
      run: () => {
        const w = new World(boards);
        const lost = new Set<string>();
        // The first frame of each direction is lost.
        w.judge = (from, to) => {
          if (lost.has(`${from} ${to}`)) return 'pass';
          lost.add(`${from} ${to}`);
          return 'drop';
        };
        same(
          'b',
          w.rig.on('a', () => w.locate('a', w.host('b'))),
          w.station('b'),
        );
      },
    },
    {
      name: 'answers that come twice or late harm nobody',
      run: () => {
        const w = new World(boards);
        w.judge = () => ({ copies: 3, spacingNs: ms(700) });
        for (const to of ['b', 'c'] as const)
          same(
            to,
            w.rig.on('a', () => w.locate('a', w.host(to))),
            w.station(to),
          );
        w.rig.after(seconds(10));
        same(
          'in the end',
          [w.locator('a').known(w.host('b')) ?? 0, w.locator('a').known(w.host('c')) ?? 0],
          [w.station('b'), w.station('c')],
        );
      },
    },
    {
      name: 'many threads that ask for one host at once all get it, and do not ask each for himself',
      run: () => {
        const w = new World(boards);
        w.rig.drive(function* () {
          const threads = Array.from({ length: 20 }, () => w.rig.spawn('a', w.locate('a', w.host('b'))));
          for (const t of threads) same('b', yield* t.join(), w.station('b'));
        });
        within('frames', w.frames, 1, 10);
      },
    },
    {
      name: 'learn notes where a host is, and the newer wins',
      run: () => {
        const w = new World(boards);
        const locator = w.locator('a');
        locator.learn(nobody, elsewhere);
        same('known', locator.known(nobody) ?? null, elsewhere);
        same(
          'located',
          w.rig.on('a', () => w.locate('a', nobody)),
          elsewhere,
        );
        locator.learn(nobody, elsewhere + 1);
        same('newer', locator.known(nobody) ?? null, elsewhere + 1);
        same('frames', w.frames, 0);
      },
    },
    {
      name: 'who waits for a host gets it when it is learned',
      run: () => {
        const w = new World(boards);
        const startNs = w.rig.nowNs;
        w.rig.drive(function* () {
          const thread = w.rig.spawn('a', w.locate('a', nobody));
          w.rig.spawn(
            'a',
            (function* (): Task<void> {
              w.locator('a').learn(nobody, elsewhere);
            })(),
          );
          same('found', yield* thread.join(), elsewhere);
        });
        holds('at once', w.rig.nowNs - startNs < ms(100));
      },
    },
    {
      name: 'forget drops a hint: it is asked for again',
      run: () => {
        const w = new World(boards);
        const locator = w.locator('a');
        locator.learn(w.host('b'), elsewhere);
        locator.forget(w.host('b'));
        same('known', locator.known(w.host('b')) ?? null, null);
        same(
          'located',
          w.rig.on('a', () => w.locate('a', w.host('b'))),
          w.station('b'),
        );
        locator.forget(nobody);
      },
    },
    {
      name: 'after a reboot nothing is known but what is asked for again',
      run: () => {
        const w = new World(boards);
        w.locator('a').learn(nobody, elsewhere);
        w.rig.reboot('a');
        same('known', w.locator('a').known(nobody) ?? null, null);
        same(
          'located',
          w.rig.on('a', () => w.locate('a', w.host('b'))),
          w.station('b'),
        );
      },
    },
  ];
}
