/** Properties over courses of events that are drawn: processes on three hosts that send, pass on, move, freeze and die. */
import { ms, type RandomStream, seconds, sleep, type Task } from '@backplane/engine';
import { message, type Received, ReplyCode } from '@backplane/slots';
import { pattern } from '@backplane/slots/testing';
import { digest } from '../bytes.ts';
import { type Check, holds, same } from '../check.ts';
import { eachCourse } from '../course.ts';
import { pagesOf } from './pages.ts';
import type { Bounds } from './under-test.ts';
import { asked, codeIn, done, type HostName, hosts, type Made, World, wordIn, words, work } from './world.ts';

const segment = 2000;
/** Nobody who still waits may be told so. */
const refusedMove = 2;
const sendsOfClient = 12;
/** What a send may end with where servers die: the answer, a death, a discard. */
const outcomes: readonly number[] = [
  ReplyCode.ok,
  ReplyCode.nonexistentEntity,
  ReplyCode.responseDiscarded,
  ReplyCode.userTimeout,
];

class Course {
  readonly w: World;
  readonly random: RandomStream;
  readonly servers: Made[] = [];
  /** How often each request was received for good: answered, or discarded. */
  readonly answers: Map<number, number> = new Map();
  ended = 0;

  constructor(bounds: Bounds, seed: number) {
    this.w = new World(bounds, seed);
    this.random = this.w.rig.cluster.engine.random('course of a check');
    for (let n = 0; n < 6; n++) this.servers.push(this.#server(n));
  }

  #server(n: number): Made {
    const { w, random } = this;
    const made: Made = w.process(
      random.pick(hosts),
      `server ${n}`,
      function* (this: Course, p: Made['process']): Task<void> {
        for (;;) yield* this.#handle(p, yield* p.receive());
      }.bind(this),
    );
    return made;
  }

  /** Fills the sender's granted memory with the number of the request, and answers with it. */
  *#handle(p: Made['process'], r: Received): Task<void> {
    const { random } = this;
    if (random.chance(0.3)) yield* sleep(random.below(ms(200)));
    if (random.chance(0.25)) {
      const to = random.pick(this.servers);
      // Not to itself: it would have to receive what it is about to wait for; nor for ever, so it may be refused.
      if (to.id !== p.id && (yield* p.forward(r, to.id, r.message)) === ReplyCode.ok) return;
    }
    if (random.chance(0.7)) {
      const code = yield* p.moveBytesTo(r, 0, pattern(segment, asked(r)));
      if (code !== ReplyCode.ok) {
        // Its sender has gone on: its host knows, ours not always.
        yield* p.reply(r, words(0, asked(r), refusedMove));
        return;
      }
      if ((yield* p.reply(r, words(0, asked(r), 1))) === ReplyCode.ok) this.#count(r);
    } else if ((yield* p.reply(r, words(0, asked(r), 0))) === ReplyCode.ok) {
      this.#count(r);
    }
    holds('no second answer', (yield* p.reply(r, done)) !== ReplyCode.ok);
  }

  #count(r: Received): void {
    const number = asked(r);
    this.answers.set(number, (this.answers.get(number) ?? 0) + 1);
  }

  /** Sends to servers that may die meanwhile; checks what it gets. */
  client(n: number, host: HostName): Made {
    const { w, random } = this;
    const memory = pagesOf(1);
    return w.process(
      host,
      `client ${n}`,
      function* (this: Course, p: Made['process']): Task<void> {
        for (let i = 0; i < sendsOfClient; i++) {
          const number = 1 + n * 100 + i;
          const limited = random.chance(0.2);
          memory.bytes.fill(0);
          // Words 3 to 5 hold the grant.
          const request = message({ code: work, words: [number, 77] });
          const grant = { read: true, write: true, address: 0, bytes: segment };
          const options = limited ? { grant, timeoutNs: random.below(ms(400)) } : { grant };
          const response = yield* p.send(random.pick(this.servers).id, request, options);
          const outcome = codeIn(response);
          holds(`outcome ${outcome} may be`, outcomes.includes(outcome));
          if (outcome === ReplyCode.ok) {
            same('whose answer it is', wordIn(response, 1), number);
            holds('moves of who has the request are let in', wordIn(response, 2) !== refusedMove);
            const moved = wordIn(response, 2) === 1;
            const expected = moved ? pattern(segment, number) : new Uint8Array(segment);
            same('what was moved', digest(memory.bytes.slice(0, segment)), digest(expected));
          }
          if (outcome === ReplyCode.userTimeout) holds('a limit was set', limited);
          if (random.chance(0.3)) yield* sleep(random.below(ms(100)));
        }
        this.ended++;
      }.bind(this),
      memory,
    );
  }

  /** Freezes and thaws, kills and replaces servers. */
  *trouble(): Task<void> {
    const { random } = this;
    for (let i = 0; i < 20; i++) {
      yield* sleep(random.below(ms(150)));
      const at = random.below(this.servers.length);
      const victim = this.servers[at];
      if (victim === undefined) continue;
      if (random.chance(0.5)) {
        victim.process.freeze();
        yield* sleep(random.below(ms(100)));
        victim.process.unfreeze();
      } else if (random.chance(0.6)) {
        random.pick([
          () => victim.process.destroy(),
          () => victim.scope.cancel(),
          () => victim.scope.crash(),
        ])();
        this.servers[at] = this.#server(100 + i);
      }
    }
  }
}

export const courseClauses = (bounds: Bounds): readonly Check[] => [
  {
    name: 'whatever processes send, pass on, move, freeze and die: every send ends, each request is answered at most once',
    run: () =>
      eachCourse(bounds.courses, (seed) => {
        const course = new Course(bounds, seed);
        const { w } = course;
        const clients = Array.from({ length: 6 }, (_, n) => course.client(n, course.random.pick(hosts)));
        w.run(function* () {
          yield* course.trouble();
          for (const { thread } of clients) yield* thread.join();
        });
        w.after(seconds(1));
        same('clients that have ended', course.ended, clients.length);
        for (const [number, times] of course.answers) same(`answers to request ${number}`, times, 1);
      }),
  },
  {
    name: 'location does not show: the same program gives the same results on one host, on two and on three',
    run: () =>
      eachCourse(bounds.courses, (seed) => {
        const [first, ...others] = [1, 2, 3].map((count) => results(bounds, seed, count));
        for (const other of others) same('results', other ?? [], first ?? []);
      }),
  },
];

/** Programs whose results do not depend on who is faster: each server answers by what was asked, and passes on by it. */
function results(bounds: Bounds, seed: number, hostCount: number): string[][] {
  const w = new World(bounds, seed);
  const random = w.rig.cluster.engine.random('program of a check');
  const host = (n: number): HostName => hosts[n % hostCount] ?? 'one';
  const servers: Made[] = [];
  for (let n = 0; n < 4; n++)
    servers.push(
      w.process(
        host(n),
        `server ${n}`,
        function* (p) {
          for (;;) {
            const r = yield* p.receive();
            const number = asked(r);
            const next = servers[number % 4];
            let code: number = ReplyCode.ok;
            if (number % 3 === 0 && asked(r, 2) < 3 && next !== undefined && next.id !== p.id) {
              const onward = message({
                code: work | 0x80_0000,
                words: [number, asked(r, 2) + 1, 3, 0, 4096],
              });
              if ((yield* p.forward(r, next.id, onward)) === ReplyCode.ok) continue;
            }
            if (number % 2 === 0) code = yield* p.moveFrom(r, number % 500, 0, (number * 7) % 600);
            if (number % 5 === 0) code = yield* p.moveBytesTo(r, number, pattern(1 + (number % 900), number));
            yield* p.reply(r, words(code, number, n, number % 7 === 0 ? yield* p.reply(r, words(1)) : 5));
          }
        },
        pagesOf(1),
      ),
    );
  const plans = Array.from({ length: 4 }, () => Array.from({ length: 8 }, () => random.below(1000)));
  const got: string[][] = plans.map(() => []);
  w.run(function* () {
    const made = plans.map((plan, n) => {
      const memory = pagesOf(1);
      memory.bytes.set(pattern(4096, n));
      return w.process(
        host(n + 1),
        `client ${n}`,
        function* (p) {
          for (const number of plan) {
            const to = servers[(number >> 2) % 4];
            if (to === undefined) continue;
            const grant = { read: true, write: number % 4 !== 1, address: 0, bytes: 1000 };
            const response = yield* p.send(to.id, words(work, number, 0), { grant });
            const from = servers.findIndex(({ id }) => id === response.from);
            got[n]?.push(`${codeIn(response)} ${wordIn(response, 1)} ${from}: ${digest(memory.bytes)}`);
          }
        },
        memory,
      ).thread;
    });
    for (const thread of made) yield* thread.join();
  });
  return got;
}
