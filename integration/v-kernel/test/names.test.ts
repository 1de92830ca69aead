import { seconds, sleep, type Task } from '@backplane/engine';
import type { VNamingOptions } from '@backplane/naming-v';
import { multicastMac, parseIpv4 } from '@backplane/wire';
import { describe, expect, it } from 'vitest';
import { type Found, World } from './names-world.ts';

const replica: VNamingOptions = { directory: true };
/** Replicas come up with any frame of theirs lost. */
const seeds = [1, 2, 3, 4, 5];
const four: Readonly<Record<string, VNamingOptions>> = {
  replica1: replica,
  replica2: replica,
  manager: {},
  client: {},
};

describe.each([
  ['on a wire that loses nothing', 0],
  ['on a wire that loses every tenth frame', 0.1],
])('the directory, %s', (_, loss) => {
  const directory = <T>(body: (w: World) => Task<T>, machines = four, seed = 1): T =>
    new World(machines, { loss, seed }).run(body);
  const fresh = (w: World, name: string): Task<Found> => w.where('client', w.view('client'), name);

  it('says that there is no such prefix, long before silence would', () => {
    directory(function* (w) {
      w.export('manager', '/m');
      yield* w.settle(70);
      const missing = yield* fresh(w, '/n/x');
      expect(missing.at).toBe('notFound');
      expect(missing.seconds).toBeLessThan(2);
      expect((yield* fresh(w, '/m/x')).at).toBe('manager: x');
    });
  });

  it('tells a manager that is down from one that never was, though the program has never met it', () => {
    directory(function* (w) {
      w.export('manager', '/m');
      yield* w.settle(70);
      w.crash('manager');
      const found = yield* fresh(w, '/m/x');
      expect(found.at).toBe('noAnswer');
      expect(found.seconds).toBeGreaterThanOrEqual(60);
      expect((yield* fresh(w, '/n')).at).toBe('notFound');
    });
  });

  it('makes a program wait for a manager that reboots', () => {
    directory(function* (w) {
      w.export('manager', '/m');
      yield* w.settle();
      w.crash('manager');
      w.cluster.scope.spawn(
        'reboot',
        (function* (): Task<void> {
          yield* sleep(seconds(25));
          yield* w.boot('manager');
          w.export('manager', '/m');
        })(),
      );
      const found = yield* fresh(w, '/m/x');
      expect(found.at).toBe('manager: x');
      expect(found.seconds).toBeGreaterThan(25);
      expect(found.seconds).toBeLessThan(35);
    });
  });

  it.each(seeds)(
    'outlives each of its replicas: who comes back knows what the other does, seed %i',
    (seed) => {
      directory(
        function* (w) {
          w.export('manager', '/m');
          yield* w.settle(70);
          for (const [first, second] of [
            ['replica1', 'replica2'],
            ['replica2', 'replica1'],
          ] as const) {
            w.crash(first);
            if (first === 'replica1') w.crash('manager');
            yield* w.boot(first);
            yield* w.settle();
            w.crash(second);
            expect((yield* fresh(w, '/m/x')).at).toBe('noAnswer');
            const missing = yield* fresh(w, '/n/x');
            expect([missing.at, missing.seconds < 2]).toEqual(['notFound', true]);
            yield* w.boot(second);
            yield* w.settle();
          }
        },
        four,
        seed,
      );
    },
  );

  it('learns from the managers what they manage, when all replicas were down', () => {
    directory(function* (w) {
      w.crash('replica1');
      w.crash('replica2');
      w.export('manager', '/m');
      yield* w.settle();
      yield* w.boot('replica1');
      yield* w.boot('replica2');
      yield* w.settle();
      w.crash('manager');
      expect((yield* fresh(w, '/m/x')).at).toBe('noAnswer');
    });
  });

  it('of which no replica answers leaves programs with what they know themselves', () => {
    directory(function* (w) {
      w.export('manager', '/m');
      yield* w.settle();
      const view = w.view('client');
      expect((yield* w.where('client', view, '/m/x')).at).toBe('manager: x');
      w.crash('replica1');
      w.crash('replica2');
      w.crash('manager');
      expect((yield* w.where('client', view, '/m/x')).at).toBe('noAnswer');
      expect((yield* fresh(w, '/m/x')).at).toBe('notFound');
    });
  });

  it('has no prefix that was withdrawn, whoever knew it', () => {
    directory(function* (w) {
      const withdraw = w.export('manager', '/m');
      yield* w.settle(70);
      const view = w.view('client');
      expect((yield* w.where('client', view, '/m/x')).at).toBe('manager: x');
      withdraw();
      yield* w.settle();
      expect((yield* w.where('client', view, '/m/x')).at).toBe('notFound');
      w.export('manager', '/m');
      yield* w.settle();
      expect((yield* w.where('client', view, '/m/x')).at).toBe('manager: x');
    });
  });

  it('follows a prefix that moves to another machine', () => {
    directory(
      function* (w) {
        const withdraw = w.export('manager', '/m');
        yield* w.settle();
        const view = w.view('client');
        expect((yield* w.where('client', view, '/m/x')).at).toBe('manager: x');
        w.export('second', '/m');
        withdraw();
        yield* w.settle();
        expect((yield* w.where('client', view, '/m/x')).at).toBe('second: x');
        w.crash('second');
        expect((yield* fresh(w, '/m/x')).at).toBe('noAnswer');
      },
      { ...four, second: {} },
    );
  });

  it('leads to a manager that the question to everybody does not reach', () => {
    directory(function* (w) {
      const everybody = multicastMac(parseIpv4('239.1.0.9'));
      w.cluster.medium.addRule({
        name: 'no questions to all name handlers',
        judge: (frame) => (frame.destination === everybody ? 'drop' : 'pass'),
      });
      w.export('manager', '/m');
      yield* w.settle();
      const found = yield* fresh(w, '/m/x');
      expect(found.at).toBe('manager: x');
      expect(found.seconds).toBeLessThan(2);
    });
  });
});

describe.each([
  ['on a wire that loses nothing', 0],
  ['on a wire that loses every tenth frame', 0.1],
])('a counterfeit answer, %s', (_, loss) => {
  const owner = { capability: 'of the owners' };
  const machines = {
    replica1: replica,
    replica2: replica,
    owner,
    forger: { capability: 'a guess' },
    careful: { check: true },
    careless: {},
  };
  const ask = (w: World, machine: string, name: string): Task<Found> =>
    w.where(machine, w.view(machine), name);

  it('is dropped by who checks it, and counted', () => {
    for (let seed = 1; seed <= 5; seed++)
      new World(machines, { loss, seed }).run(function* (w) {
        w.export('owner', '/m');
        yield* w.settle(70);
        w.export('forger', '/m');
        yield* w.settle();
        for (let n = 0; n < 5; n++) expect((yield* ask(w, 'careful', '/m/x')).at).toBe('owner: x');
        w.crash('owner');
        expect((yield* ask(w, 'careful', '/m/x')).at).toBe('noAnswer');
        expect(w.metric('careful', 'naming.counterfeits')).toBeGreaterThan(0);
        const refused = ['replica1', 'replica2'].map((r) => w.metric(r, 'naming.claimsRefused'));
        expect(Math.min(...refused)).toBeGreaterThan(0);
      });
  });

  it('deceives who does not check it', () => {
    new World(machines, { loss }).run(function* (w) {
      w.export('owner', '/m');
      yield* w.settle(70);
      w.export('forger', '/m');
      yield* w.settle();
      w.crash('owner');
      expect((yield* ask(w, 'careless', '/m/x')).at).toBe('forger: x');
    });
  });

  it('of before is no hindrance to the owner’s next life', () => {
    new World(machines, { loss }).run(function* (w) {
      w.export('owner', '/m');
      yield* w.settle(70);
      const view = w.view('careful');
      expect((yield* w.where('careful', view, '/m/x')).at).toBe('owner: x');
      w.crash('owner');
      w.export('forger', '/m');
      yield* w.boot('owner');
      w.export('owner', '/m');
      expect((yield* w.where('careful', view, '/m/x')).at).toBe('owner: x');
    });
  });
});

describe.each([
  ['on a wire that loses nothing', 0],
  ['on a wire that loses every tenth frame', 0.1],
])('an alias, %s', (_, loss) => {
  const chain = Object.fromEntries(
    Array.from({ length: 9 }, (_, i) => [`/l${i}`, i === 8 ? '/m' : `/l${i + 1}`]),
  );
  const machines = {
    replica1: replica,
    replica2: replica,
    names: { aliases: { '/bin': '/m/bin', ...chain } },
    manager: {},
    client: {},
  };

  it('leads to the prefix that it stands for, eight of them at most', () => {
    new World(machines, { loss }).run(function* (w) {
      w.export('manager', '/m');
      yield* w.settle();
      const view = w.view('client');
      const at = function* (name: string): Task<string> {
        return (yield* w.where('client', view, name)).at;
      };
      expect(yield* at('/bin/ls')).toBe('manager: bin/ls');
      expect(yield* at('/bin')).toBe('manager: bin');
      expect(yield* at('/bin/')).toBe('manager: bin/');
      expect(yield* at('/l1/x')).toBe('manager: x');
      expect(yield* at('/l0/x')).toBe('nameLoop');
      expect(w.metric('client', 'naming.aliases')).toBe(3 + 8 + 8);
    });
  });

  it('is known to the directory when the machine that has it is down', () => {
    new World(machines, { loss }).run(function* (w) {
      w.export('manager', '/m');
      yield* w.settle();
      w.crash('names');
      expect((yield* w.where('client', w.view('client'), '/bin/ls')).at).toBe('manager: bin/ls');
    });
  });
});

describe.each([
  ['on a wire that loses nothing', 0],
  ['on a wire that loses every tenth frame', 0.1],
])('a directory that two machines share, %s', (_, loss) => {
  const machines = {
    replica1: replica,
    replica2: replica,
    early: { shares: { '/home': { below: 'm' } } },
    late: { shares: { '/home': { from: 'm', below: 'x' } } },
    client: {},
  };
  const shared = <T>(body: (w: World) => Task<T>): T =>
    new World(machines, { loss }).run(function* (w) {
      w.export('early', '/home');
      w.export('late', '/home');
      yield* w.settle(70);
      return yield* body(w);
    });

  it('has each name at one of them, and nobody else is asked once that is known', () => {
    shared(function* (w) {
      const view = w.view('client');
      const found: string[] = [];
      for (const name of ['ann', 'mary', 'ann/x', 'bob', 'mary/y'])
        found.push((yield* w.where('client', view, `/home/${name}`)).at);
      expect(found).toEqual(['early: ann', 'late: mary', 'early: ann/x', 'early: bob', 'late: mary/y']);
      expect(w.metric('client', 'naming.lookupsMulticast')).toBe(3);
      expect((yield* w.where('client', view, '/home/zoe')).at).toBe('notFound');
      expect((yield* w.where('client', view, '/home/new', 'entry')).at).toBe('late: new');
    });
  });

  it('goes on with the others when one of them is down, and says which names are down with it', () => {
    shared(function* (w) {
      const view = w.view('client');
      w.crash('late');
      expect((yield* w.where('client', view, '/home/mary')).at).toBe('noAnswer');
      expect((yield* w.where('client', view, '/home/ann')).at).toBe('early: ann');
      expect((yield* w.where('client', view, '/home')).at).toBe('early: ');
      yield* w.boot('late');
      w.export('late', '/home');
      expect((yield* w.where('client', view, '/home/mary')).at).toBe('late: mary');
    });
  });

  it('may be the working directory: each name in it goes to who has it', () => {
    shared(function* (w) {
      const view = w.view('client');
      const enter = function* (name: string): Task<void> {
        yield* view.chdir(name, function* (t) {
          const outcome = yield* w.attempt(t);
          return outcome.is === 'done' ? { is: 'done', value: t.root } : outcome;
        });
      };
      const thread = w.machine('client').scope.spawn('enter', enter('/home'));
      yield* thread.join();
      const found: string[] = [];
      for (const name of ['ann', 'mary', './bob/']) found.push((yield* w.where('client', view, name)).at);
      expect(found).toEqual(['early: ann', 'late: mary', 'early: bob/']);
      expect(view.workingDirectory).toBe('/home');
      const inside = w.machine('client').scope.spawn('enter', enter('mary'));
      yield* inside.join();
      expect((yield* w.where('client', view, 'x')).at).toBe('late: x');
    });
  });
});

describe('what naming counts', () => {
  it('tells the share of lookups that led to a multicast', () => {
    const w = new World({ manager: {}, client: {} });
    w.run(function* () {
      w.export('manager', '/m');
      const parent = w.view('client');
      for (let program = 0; program < 20; program++) {
        const view = program === 0 ? parent : parent.inherit();
        for (let n = 0; n < 50; n++) yield* w.where('client', view, `/m/${n}`);
      }
    });
    expect(w.metric('client', 'naming.lookups')).toBe(1000);
    expect(w.metric('client', 'naming.lookupsMulticast')).toBe(1);
    expect(w.metric('client', 'naming.multicastPercent')).toBeCloseTo(0.1, 12);
  });
});
