/** Processes that ask each other and wander, in calm and in a network that loses, repeats and delays frames. */
import { ms, type RandomStream, sleep, type Task } from '@backplane/engine';
import { ReplyCode } from '@backplane/slots';
import { pattern } from '@backplane/slots/testing';
import { digest } from '../bytes.ts';
import { type Check, same } from '../check.ts';
import { eachCourse } from '../course.ts';
import { stormy } from '../storm.ts';
import { Mobile } from './mobile.ts';
import { pagesOf } from './pages.ts';
import type { Bounds } from './under-test.ts';
import { asked, codeIn, hosts, World, wordIn, words, work } from './world.ts';

const sendsEach = 20;
const segment = 700;

interface Weather {
  readonly storm: boolean;
  /** How long one that moves may be nowhere. */
  readonly transitMaxNs: number;
}

function wander(bounds: Bounds, seed: number, { storm, transitMaxNs }: Weather): void {
  const w = new World(bounds, seed);
  const { cluster } = w.rig;
  if (storm) cluster.medium.addRule({ name: 'storm of a check', judge: stormy(cluster.engine) });
  const random = cluster.engine.random('wanderers of a check');
  const executed: number[] = [];
  const servers: Mobile[] = [];
  for (const name of ['server 0', 'server 1', 'server 2'])
    servers.push(new Mobile(w, random.pick(hosts), name, (p) => serving(p, random, servers, executed)));
  const clients = [0, 1, 2, 3].map((c) => {
    const memory = pagesOf(1);
    return new Mobile(
      w,
      random.pick(hosts),
      `client ${c}`,
      function* (p): Task<void> {
        for (let i = 0; i < sendsEach; i++) {
          const n = c * 100 + i + 1;
          memory.bytes.fill(0);
          const grant = { read: true, write: true, address: 0, bytes: segment };
          const response = yield* p.send(random.pick(servers).id, words(work, n), { grant });
          same(`outcome, number and code of the move of ${n}`, three(response), [
            ReplyCode.ok,
            n,
            ReplyCode.ok,
          ]);
          const expected = moves(n) ? pattern(segment, n) : new Uint8Array(segment);
          same(`memory of ${n}`, digest(memory.bytes.slice(0, segment)), digest(expected));
        }
      },
      memory,
    );
  });
  w.run(function* () {
    const wanderers = [...servers, ...clients];
    while (!clients.every(({ thread }) => thread.ended)) {
      yield* sleep(random.below(ms(20)));
      const one = random.pick(wanderers);
      const to = random.pick(hosts);
      // Threads of what is nowhere stand still: it is this loop that brings it to where it goes.
      if (to !== one.host) yield* one.move(to, random.chance(0.5) ? 0 : random.below(transitMaxNs + 1));
    }
  });
  const numbers = [0, 1, 2, 3].flatMap((c) => Array.from({ length: sendsEach }, (_, i) => c * 100 + i + 1));
  same(
    'executed',
    executed.toSorted((a, b) => a - b),
    numbers,
  );
}

/** Some requests move bytes, and some are passed on: by their number, so that each does the same in every course. */
const moves = (n: number): boolean => n % 3 === 0;
const isPassedOn = (n: number): boolean => n % 5 === 0;

function* serving(
  p: Mobile['process'],
  random: RandomStream,
  servers: readonly Mobile[],
  executed: number[],
): Task<void> {
  for (;;) {
    const r = yield* p.receive();
    const n = asked(r);
    if (random.chance(0.5)) yield* sleep(random.below(ms(10)));
    const next = servers[n % servers.length];
    if (isPassedOn(n) && next !== undefined && next.id !== p.id) {
      same(`code of the forward of ${n}`, yield* p.forward(r, next.id, r.message), ReplyCode.ok);
      continue;
    }
    executed.push(n);
    const code = moves(n) ? yield* p.moveBytesTo(r, 0, pattern(segment, n)) : ReplyCode.ok;
    same(`code of the reply to ${n}`, yield* p.reply(r, words(0, n, code)), ReplyCode.ok);
  }
}

const three = (response: Parameters<typeof codeIn>[0]): number[] => [
  codeIn(response),
  wordIn(response, 1),
  wordIn(response, 2),
];

export const wanderClauses = (bounds: Bounds): readonly Check[] => {
  const clause = (name: string, weather: Weather): Check => ({
    name,
    run: () => eachCourse(bounds.courses, (seed) => wander(bounds, seed, weather)),
  });
  return [
    clause(
      'processes that ask each other and wander execute each request once, and each gets its own reply',
      {
        storm: false,
        transitMaxNs: 0,
      },
    ),
    clause('the same when those who move are on no host for a while', { storm: false, transitMaxNs: ms(50) }),
    clause('the same, whatever the network loses, repeats and delays', { storm: true, transitMaxNs: 0 }),
    clause('the same, in such a network, when those who move are on no host for a while', {
      storm: true,
      transitMaxNs: ms(50),
    }),
  ];
};
