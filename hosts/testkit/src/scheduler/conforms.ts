/** The contract of the slot `scheduler`, clause by clause. */
import { charge, currentThread, ms, seconds, settle, sleep, type Task, type Thread } from '@backplane/engine';
import { Busy, type KernelSpec, type Processors, type Scheduler } from '@backplane/slots';
import { type Check, holds, same, within } from '../check.ts';
import { eachCourse } from '../course.ts';
import { alone, machineType } from '../neighbours.ts';
import { Rig } from '../rig.ts';

export interface SchedulerUnderTest {
  /** The scheduler, and what it needs besides processors. */
  readonly boards: KernelSpec;
  /** Two priorities of its scale, the better one first. */
  readonly priorities: readonly [number, number];
  /** How much sooner than its equals a thread may have got its time, in seconds. Default 1. Infinity: it shares nothing out. */
  readonly unfairSeconds?: number;
  /** A processor may rest for so long while a thread waits for another one, in seconds. Default 0. */
  readonly restSeconds?: number;
  /** How many courses of work are drawn. Default 10. */
  readonly courses?: number;
}

class World {
  readonly rig: Rig;

  constructor({ boards }: SchedulerUnderTest, processors = 1, seed = 1) {
    this.rig = new Rig({ host: alone().with(boards) }, { seed, type: { ...machineType(), processors } });
  }

  get scheduler(): Scheduler {
    return this.rig.board('host', 'scheduler');
  }

  get processors(): Processors {
    return this.rig.board('host', 'processors');
  }

  start<T>(body: Task<T>): Thread<T> {
    return this.rig.spawn('host', body);
  }

  /** Threads, to the ends of all. Returns when each ended, in seconds from the start. */
  all(bodies: readonly Task<void>[]): number[] {
    const { rig } = this;
    const startNs = rig.nowNs;
    return rig.drive(function* () {
      const threads = bodies.map((body) =>
        rig.spawn(
          'host',
          (function* (): Task<number> {
            yield* body;
            return (rig.nowNs - startNs) / 1e9;
          })(),
        ),
      );
      const ends: number[] = [];
      for (const t of threads) ends.push(yield* t.join());
      return ends;
    });
  }
}

/** Computes for so long, in pieces. */
function* compute(forNs: number, category: number = Busy.user, pieceNs: number = ms(20)): Task<void> {
  for (let left = forNs; left > 0; left -= pieceNs) {
    charge(Math.min(left, pieceNs), category);
    yield* settle();
  }
}

/** Between two looks at who is busy; nothing else happens at such instants. */
const lookNs = ms(7) + 1;

export const conformsToScheduler = (under: SchedulerUnderTest): readonly Check[] => [
  {
    name: 'what a thread charges takes that long on a processor, and is accounted by its category',
    run: () => {
      const w = new World(under);
      same('seconds', w.all([compute(seconds(2), Busy.files)]), [2]);
      same('busy', [w.processors.busyNs(Busy.files) / 1e9, w.processors.busyNs(Busy.user)], [2, 0]);
    },
  },
  {
    name: 'execute calls paid later, when the time has been executed',
    run: () => {
      const w = new World(under);
      const paid: number[] = [];
      let early = -1;
      w.all([
        (function* (): Task<void> {
          w.scheduler.execute(currentThread(), ms(5), Busy.kernel, () => paid.push(w.rig.nowNs));
          early = paid.length;
          yield* sleep(ms(100));
        })(),
      ]);
      same('before execute returned', early, 0);
      same(
        'paid after milliseconds',
        paid.map((ns) => ns / 1e6),
        [5],
      );
    },
  },
  {
    name: 'a processor does one thing at a time; more of them do more',
    run: () => {
      for (const count of [1, 2, 3]) {
        const w = new World(under, count);
        const ends = w.all(Array.from({ length: 6 }, () => compute(seconds(1))));
        same(`seconds on ${count}`, Math.max(...ends), 6 / count);
        same('busy seconds', w.processors.busyNs() / 1e9, 6);
      }
    },
  },
  {
    name: 'no processor rests while a thread wants one',
    run: () =>
      eachCourse(under.courses ?? 10, (seed) => {
        const w = new World(under, 2, seed);
        const random = w.rig.cluster.engine.random('course of a check');
        const [busy, wanted] = [[] as number[], [] as number[]];
        const bodies = Array.from({ length: 5 }, function* (): Task<void> {
          for (let i = 0; i < 20; i++) {
            yield* compute(
              1 + random.below(ms(80)),
              random.pick([Busy.user, Busy.user, Busy.kernel, Busy.files]),
            );
            if (random.chance(0.4)) yield* sleep(random.below(ms(60)));
          }
        });
        const watch = (function* (): Task<void> {
          for (let i = 0; i < 300; i++) {
            yield* sleep(lookNs);
            busy.push([0, 1].filter((p) => !w.processors.idle(p)).length);
            wanted.push(w.scheduler.runnable);
          }
        })();
        w.all([...bodies, watch]);
        const looks = Math.ceil((under.restSeconds ?? 0) / (lookNs / 1e9));
        let resting = 0;
        for (const [i, n] of busy.entries()) {
          resting = n < Math.min(2, wanted[i] ?? 0) ? resting + 1 : 0;
          holds(`at look ${i} a processor rests for the ${resting}th time`, resting <= looks);
        }
      }),
  },
  {
    name: 'every nanosecond that is charged is executed once, in its category, whatever preempts what',
    run: () =>
      eachCourse(under.courses ?? 10, (seed) => {
        const w = new World(under, 1 + (seed % 2), seed);
        const random = w.rig.cluster.engine.random('course of a check');
        const charged = [0, 0, 0, 0, 0, 0];
        const bodies = Array.from({ length: 6 }, function* (): Task<void> {
          for (let i = 0; i < 15; i++) {
            const [ns, category] = [
              random.below(ms(300)),
              random.pick([Busy.user, Busy.user, Busy.kernel, Busy.network]),
            ];
            charged[category] = (charged[category] ?? 0) + ns;
            charge(ns, category);
            yield* settle();
            if (random.chance(0.5)) yield* sleep(random.below(ms(200)));
            if (random.chance(0.3)) w.processors.interrupt(ms(1), Busy.interrupt, () => {});
          }
        });
        w.all(bodies);
        w.rig.after(seconds(1));
        for (const category of [Busy.user, Busy.kernel, Busy.network])
          same(`nanoseconds in category ${category}`, w.processors.busyNs(category), charged[category] ?? 0);
        same('wanted in the end', w.scheduler.runnable, 0);
      }),
  },
  {
    name: 'runnable counts the threads that want a processor or have one',
    run: () => {
      const w = new World(under);
      same('at rest', w.scheduler.runnable, 0);
      for (let i = 0; i < 3; i++) w.start(compute(ms(50), Busy.kernel, ms(50)));
      w.start(
        (function* (): Task<void> {
          yield* sleep(seconds(1000));
        })(),
      );
      w.rig.after(ms(1));
      same('three that compute and one that sleeps', w.scheduler.runnable, 3);
      w.rig.after(seconds(1));
      same('afterwards', w.scheduler.runnable, 0);
    },
  },
  ...(under.unfairSeconds === Number.POSITIVE_INFINITY ? [] : [equalShares(under)]),
  {
    name: 'of two threads that compute in small pieces, the one with the better priority gets more',
    run: () => {
      const w = new World(under);
      const [better, worse] = under.priorities;
      const done = [0, 0];
      for (const [i, priority] of [worse, better].entries()) {
        const thread = w.start(
          (function* (): Task<void> {
            for (;;) {
              yield* compute(ms(10), Busy.user, ms(10));
              done[i] = (done[i] ?? 0) + 0.01;
            }
          })(),
        );
        w.scheduler.setPriority(thread, priority);
      }
      w.rig.after(seconds(30));
      holds(`${done[1]} seconds are more than ${done[0]}`, (done[1] ?? 0) > (done[0] ?? 0) * 1.1);
    },
  },
  {
    name: 'a crash takes away what is executing, and the next boot computes as the first did',
    run: () => {
      const w = new World(under);
      let ended = 0;
      for (let i = 0; i < 3; i++)
        w.start(
          (function* (): Task<void> {
            yield* compute(seconds(1));
            ended++;
          })(),
        );
      w.rig.after(ms(500));
      w.rig.reboot('host');
      same('wanted', w.scheduler.runnable, 0);
      same('seconds', w.all([compute(seconds(1))]), [1]);
      w.rig.after(seconds(5));
      same('threads of the first boot that ended', ended, 0);
      within('busy seconds', w.processors.busyNs() / 1e9, 1.5, 1.5);
    },
  },
];

const equalShares = (under: SchedulerUnderTest): Check => ({
  name: 'threads that only compute get equal shares',
  run: () => {
    const w = new World(under);
    const done = [0, 0, 0, 0];
    for (const i of done.keys())
      w.start(
        (function* (): Task<void> {
          for (;;) {
            yield* compute(ms(10));
            done[i] = (done[i] ?? 0) + 0.01;
          }
        })(),
      );
    for (let second = 1; second <= 20; second++) {
      w.rig.after(seconds(1));
      within(
        'seconds between the first and the last',
        Math.max(...done) - Math.min(...done),
        0,
        under.unfairSeconds ?? 1,
      );
    }
  },
});
