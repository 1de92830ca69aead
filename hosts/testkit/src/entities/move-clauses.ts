/**
 * Entities that move with what they are in the middle of: the capability `moves`. Each clause is tried in calm, over the instants
 * at which an entity may leave, and in courses of a network that loses, repeats and delays frames.
 */
import { ms, type RandomStream, seconds, sleep, type Task, type Thread, us } from '@backplane/engine';
import { ReplyCode, type Response } from '@backplane/slots';
import { pattern } from '@backplane/slots/testing';
import { type Check, holds, notConforming, same } from '../check.ts';
import { eachCourse } from '../course.ts';
import { stormy } from '../storm.ts';
import { type Host, World } from '../transport/world.ts';
import { Desk, entitiesOf, names } from './desk.ts';
import { codeIn, done, isAnswerTo, numbered } from './messages.ts';
import { Traveller } from './traveller.ts';
import type { Bounds } from './under-test.ts';

/** A task to its end. Nothing in these checks takes as long as `patienceSeconds`. */
function ended<T>(world: World, patienceSeconds: number, body: Task<T>): T {
  const thread = world.engine.root.spawn('check', body);
  for (let waited = 0; !thread.ended && waited < patienceSeconds; waited++) world.after(seconds(1));
  if (!thread.ended) throw notConforming('what is under way', 'an end', thread.trace());
  return world.drive(() => thread.join());
}

/** When it leaves after something has begun, and how long it is nowhere. */
interface Leaving {
  readonly afterNs: number;
  readonly transitNs: number;
}

const instants: readonly number[] = [0, us(50), us(400), ms(3), ms(8), ms(40)];

/** In calm: over the instants at which it may leave. In courses: drawn. */
interface Circumstances {
  readonly name: string;
  readonly isStormy: boolean;
  readonly isAway: boolean;
}

const circumstances: readonly Circumstances[] = [
  { name: '', isStormy: false, isAway: false },
  { name: ', also when it is on no host for a while', isStormy: false, isAway: true },
  { name: ', whatever the network loses, repeats and delays', isStormy: true, isAway: false },
  {
    name: ', also when it is on no host for a while, whatever the network loses, repeats and delays',
    isStormy: true,
    isAway: true,
  },
];

function leaving(i: number, { isStormy, isAway }: Circumstances, random: RandomStream): Leaving {
  if (!isStormy) return { afterNs: pick(instants, i), transitNs: isAway ? ms(pick([1, 20, 300], i)) : 0 };
  return {
    afterNs: random.below(ms(random.pick([1, 30, 300]))),
    transitNs: isAway ? random.below(ms(200)) : 0,
  };
}

/** Where it goes from the second host on: to one after the other, and back. */
const route: readonly number[] = [2, 3, 1, 2, 1, 0, 1];
const minted = 1;

/** The host that is `i` further. */
const hostAfter = (world: World, i: number): Host => world.host(route[i % route.length] ?? minted);

/** How the client and the server are, in turn: shapes of work that end before, while and after something moves. */
const works: readonly number[] = [0, ms(2), ms(60), seconds(1)];
const sizes: readonly number[] = [0, 700, 9000];
const pick = (from: readonly number[], i: number): number => from[i % from.length] ?? 0;

interface Occasion extends Leaving {
  readonly number: number;
  readonly to: Host;
  readonly segment: Uint8Array;
}

export const moveClauses = (bounds: Bounds): readonly Check[] => {
  const { boards, courses, silenceSeconds, noticeSeconds } = bounds;
  const patienceSeconds = 2 * (silenceSeconds + noticeSeconds);

  /** A row of moves in one world; of a course, in each of them. */
  const clause = (
    name: string,
    body: (world: World, each: (on: (occasion: Occasion) => Task<void>) => void) => void,
  ): readonly Check[] => {
    const run = (seed: number, circumstance: Circumstances): void => {
      const world = new World(boards, names, { seed });
      world.drive(function* () {});
      if (circumstance.isStormy) world.judge = stormy(world.engine);
      const random = world.engine.random('moves of a check');
      body(world, (on) => {
        for (let i = 0; i < 2 * instants.length; i++) {
          const { afterNs, transitNs } = leaving(i, circumstance, random);
          const segment = pattern(pick(sizes, i), i);
          const to = hostAfter(world, i);
          try {
            ended(world, patienceSeconds, on({ afterNs, transitNs, number: i + 1, to, segment }));
          } catch (e) {
            const when = `it left ${afterNs / 1e6} ms later, and was at ${to.name} after ${transitNs / 1e6} ms more`;
            if (e instanceof Error) e.message = `move ${i + 1}, ${when}: ${e.message}`;
            throw e;
          }
        }
      });
    };
    return circumstances.map((circumstance) => ({
      name: `${name}${circumstance.name}`,
      run: () => {
        if (circumstance.isStormy) eachCourse(courses, (seed) => run(seed, circumstance));
        else run(1, circumstance);
      },
    }));
  };

  return [
    ...clause(
      'an entity that moves with a transaction under way gets its one response where it is, and it is executed once',
      (world, each) => {
        for (const at of world.hosts) {
          const server = new Desk(at);
          const client = new Traveller(world.host(minted));
          each(function* ({ number, to, segment, afterNs, transitNs }): Task<void> {
            server.manner = { worksNs: pick(works, number) };
            const response = client.spawn(client.send(server.entity, numbered(number, { segment })));
            yield* sleep(afterNs);
            yield* client.move(to, transitNs);
            answered(number, segment, yield* response.join());
          });
          same(`seen on ${at.name}`, server.seen, inOrder(server.seen.length));
          client.leave();
        }
      },
    ),
    ...clause(
      'an entity that moves with requests answers them from where it is: each is executed once, each client gets one response',
      (world, each) => {
        const clients = world.hosts.map((host) => new Desk(host));
        const server = new Traveller(world.host(minted));
        let n = 0;
        each(function* ({ number, to, segment, afterNs, transitNs }): Task<void> {
          server.work = { worksNs: pick(works, number) };
          const first = n + 1;
          const responses: Thread<Response>[] = [];
          for (const client of clients)
            responses.push(client.host.spawn(client.sending(server.entity, numbered(++n, { segment }))));
          yield* sleep(afterNs);
          yield* server.move(to, transitNs);
          for (const [i, response] of responses.entries())
            answered(first + i, segment, yield* response.join());
        });
        same('seen', server.seen.toSorted(byNumber), inOrder(n));
      },
    ),
    ...clause('client and server may move at once, and cross each other on the way', (world, each) => {
      const [client, server] = [new Traveller(world.host(minted)), new Traveller(world.host(2))];
      each(function* ({ number, to, segment, afterNs, transitNs }): Task<void> {
        server.work = { worksNs: pick(works, number) };
        const response = client.spawn(client.send(server.entity, numbered(number, { segment })));
        yield* sleep(afterNs);
        const other = world.engine.root.spawn(
          'other',
          server.move(world.host((number * 3) % 4), Math.floor(transitNs / 2)),
        );
        yield* client.move(to, transitNs);
        yield* other.join();
        answered(number, segment, yield* response.join());
      });
      same('seen', server.seen, inOrder(server.seen.length));
    }),
    ...clause(
      'a request that a group brought is answered from there, and not executed again',
      (world, each) => {
        const group = entitiesOf(world.host(0)).mintGroup();
        const member = new Traveller(world.host(minted));
        member.join(group);
        const client = new Desk(world.host(0));
        each(function* ({ number, to, afterNs, transitNs }): Task<void> {
          // Longer than until it asks again.
          member.work = { worksNs: number % 2 === 0 ? seconds(3) : ms(20) };
          const response = client.host.spawn(client.sending(group, numbered(number)));
          // A group without members is silent: that it had none for a while may be seen, until it has the request.
          while (member.seen.length < number) yield* sleep(us(100));
          yield* sleep(afterNs);
          yield* member.move(to, transitNs);
          const found = yield* response.join();
          answered(number, new Uint8Array(0), found);
          same('who answered', found.from, member.entity);
        });
        same('seen', member.seen, inOrder(member.seen.length));
      },
    ),
    ...clause(
      'who has passed a request on may go: the next server answers it, and it is executed once by each',
      (world, each) => {
        const clients = world.hosts.map((host) => new Desk(host));
        const last = new Desk(world.host(3));
        const first = new Traveller(world.host(minted), { forwardTo: last.entity });
        let n = 0;
        each(function* ({ number, to, segment, afterNs, transitNs }): Task<void> {
          last.manner = { worksNs: number % 3 === 0 ? seconds(5) : pick(works, number) };
          const begun = n + 1;
          const responses: Thread<Response>[] = [];
          for (const client of clients)
            responses.push(client.host.spawn(client.sending(first.entity, numbered(++n, { segment }))));
          yield* sleep(afterNs);
          yield* first.move(to, transitNs);
          for (const [i, response] of responses.entries())
            answered(begun + i, segment, yield* response.join());
        });
        same('seen by the first', first.seen.toSorted(byNumber), inOrder(n));
        same('seen by the last', last.seen.toSorted(byNumber), inOrder(n));
      },
    ),
    ...clause(
      'a request that was passed on to an entity that moves is answered from there',
      (world, each) => {
        const clients = world.hosts.map((host) => new Desk(host));
        const last = new Traveller(world.host(minted));
        const first = new Desk(world.host(2), { ends: { forwardTo: last.entity } });
        let n = 0;
        each(function* ({ number, to, segment, afterNs, transitNs }): Task<void> {
          last.work = { worksNs: pick(works, number) };
          const begun = n + 1;
          const responses: Thread<Response>[] = [];
          for (const client of clients)
            responses.push(client.host.spawn(client.sending(first.entity, numbered(++n, { segment }))));
          yield* sleep(afterNs);
          yield* last.move(to, transitNs);
          for (const [i, response] of responses.entries())
            answered(begun + i, segment, yield* response.join());
        });
        same('seen by the first', first.seen.toSorted(byNumber), inOrder(n));
        same('seen by the last', last.seen.toSorted(byNumber), inOrder(n));
      },
    ),
    {
      name: 'a request that was answered before the move, to a client that has not heard it, is not executed again',
      run: () => {
        for (const [at, to] of [
          [0, 2],
          [3, 0],
          [3, 2],
        ] as const)
          for (const bytes of sizes) {
            const world = new World(boards, names);
            const client = new Desk(world.host(at));
            const server = new Traveller(world.host(minted));
            const known = client.asks(world, server.entity, numbered(1));
            answered(1, new Uint8Array(0), known);
            // The request arrives, nothing comes back.
            const [from, deaf] = [world.host(minted).name, client.host.name];
            world.judge = (_payload, a, b) => (a === from && b === deaf ? 'drop' : 'pass');
            const segment = pattern(bytes, 2);
            const response = client.host.spawn(client.sending(server.entity, numbered(2, { segment })));
            world.after(ms(200));
            same('seen before the move', server.seen, [1, 2]);
            same('heard before the move', response.ended, false);
            ended(world, patienceSeconds, server.move(world.host(to)));
            world.mend();
            answered(2, segment, ended(world, patienceSeconds, response.join()));
            same('seen', server.seen, [1, 2]);
          }
      },
    },
    {
      name: 'the groups of an entity are not carried along: it is a member again when it joins again',
      run: () => {
        const world = new World(boards, names);
        const group = entitiesOf(world.host(0)).mintGroup();
        const member = new Traveller(world.host(minted));
        const [first, second] = [new Desk(world.host(0)), new Desk(world.host(2))];
        entitiesOf(world.host(minted)).join(group, member.entity);
        same('before', first.code(world, group, numbered(1)), done);
        ended(world, patienceSeconds, member.move(world.host(2)));
        for (const client of [first, second])
          same('after the move', client.code(world, group, numbered(2)), ReplyCode.retransmissionTimeout);
        same('seen', member.seen, [1]);
        entitiesOf(world.host(2)).join(group, member.entity);
        same('when it has joined again', first.code(world, group, numbered(3)), done);
        same('seen', member.seen, [1, 3]);
      },
    },
    {
      name: 'an entity that has moved is found by those who knew its old host, by those who did not, and by a probe',
      run: () => {
        const world = new World(boards, names);
        const clients = world.hosts.map((host) => new Desk(host));
        const server = new Traveller(world.host(minted));
        for (const client of clients.slice(0, 3))
          same('before', client.code(world, server.entity, numbered(1)), done);
        for (const [i, to] of route.entries()) {
          ended(world, patienceSeconds, server.move(world.host(to)));
          for (const { host } of clients) {
            const found = world.on(host, () => entitiesOf(host).probe(server.entity));
            same('probed', found, 'here');
            same('is here', entitiesOf(host).isHere(server.entity), host === world.host(to));
          }
          for (const client of clients)
            same('code', client.code(world, server.entity, numbered(i + 2)), done);
        }
      },
    },
    {
      name: 'who asks for an entity while it is between two hosts waits for it',
      run: () => {
        for (const transitNs of [ms(1), ms(100), seconds(1)]) {
          const world = new World(boards, names);
          const clients = world.hosts.map((host) => new Desk(host));
          const server = new Traveller(world.host(minted));
          for (const client of clients.slice(0, 3))
            same('before', client.code(world, server.entity, numbered(1)), done);
          const moving = world.engine.root.spawn('move', server.move(world.host(2), transitNs));
          const responses = clients.map((c) => c.host.spawn(c.sending(server.entity, numbered(2))));
          for (const [i, response] of responses.entries()) {
            const code = codeIn(ended(world, patienceSeconds, response.join()));
            same(`code for the client on ${clients[i]?.host.name} (${transitNs / 1e6} ms)`, code, done);
          }
          ended(world, patienceSeconds, moving.join());
          same('seen', server.seen.length, 3 + clients.length);
        }
      },
    },
    {
      name: 'a request whose client gives up after the move is abandoned, and its service is told so there',
      run: () => {
        for (const at of [0, 1, 2]) {
          const world = new World(boards, names);
          const client = new Desk(world.host(at));
          const server = new Traveller(world.host(minted), { worksNs: Infinity });
          const limit = { timeoutNs: seconds(3) };
          const response = client.host.spawn(client.sending(server.entity, numbered(1), limit));
          world.after(seconds(1));
          ended(world, patienceSeconds, server.move(world.host(2)));
          same('abandoned while the client waits', server.open[0]?.request.abandoned ?? null, false);
          same('code', codeIn(ended(world, patienceSeconds, response.join())), ReplyCode.userTimeout);
          world.after(seconds(silenceSeconds + noticeSeconds));
          same('abandoned', server.open[0]?.request.abandoned ?? null, true);
          same('told', server.told, [1]);
          server.answerAll();
          world.after(seconds(2));
          server.work = {};
          same('the next one', client.code(world, server.entity, numbered(2)), done);
        }
      },
    },
    {
      name: 'a request to a group beside the one that asks is answered though that goes away and comes back',
      run: () => {
        for (const worksNs of works)
          for (const awayNs of [0, us(400), ms(20), seconds(1)]) {
            const world = new World(boards, names);
            const group = entitiesOf(world.host(0)).mintGroup();
            const members = world.hosts.slice(0, 3).map((host) => new Desk(host, { worksNs }));
            for (const { host, entity } of members) entitiesOf(host).join(group, entity);
            const client = new Traveller(world.host(minted));
            const request = numbered(1, { coResident: client.entity });
            const response = client.spawn(client.send(group, request));
            const away = function* (): Task<void> {
              yield* sleep(ms(1));
              yield* client.move(world.host(2));
              yield* sleep(awayNs);
              yield* client.move(world.host(minted));
            };
            ended(world, patienceSeconds, away());
            const code = codeIn(ended(world, patienceSeconds, response.join()));
            same(`code, ${worksNs / 1e6} ms of work, ${awayNs / 1e6} ms away`, code, done);
            same('seen beside it', members[minted]?.seen ?? [], [1]);
          }
      },
    },
    {
      name: 'an entity that has moved lives on when its old host dies, and has answered what it took there',
      run: () => {
        const world = new World(boards, names);
        const client = new Desk(world.host(0));
        const [asker, server] = [new Traveller(world.host(minted)), new Traveller(world.host(minted))];
        server.work = { worksNs: seconds(4) };
        const third = new Desk(world.host(3), { worksNs: seconds(4) });
        const own = asker.spawn(asker.send(third.entity, numbered(1)));
        const response = client.host.spawn(client.sending(server.entity, numbered(1)));
        world.after(seconds(1));
        ended(world, patienceSeconds, asker.move(world.host(2)));
        ended(world, patienceSeconds, server.move(world.host(2)));
        world.host(minted).crash();
        same('the response of its server', codeIn(ended(world, patienceSeconds, own.join())), done);
        same('the response to its client', codeIn(ended(world, patienceSeconds, response.join())), done);
        same('seen', [server.seen, third.seen], [[1], [1]]);
        same('the next one', client.code(world, server.entity, numbered(2)), done);
      },
    },
    ...circumstances.map((circumstance) => ({
      name: `whoever wanders: every send ends with its own answer, and is executed once${circumstance.name}`,
      run: () =>
        eachCourse(courses, (seed) => {
          const world = new World(boards, names, { seed });
          world.drive(function* () {});
          if (circumstance.isStormy) world.judge = stormy(world.engine);
          wandering(world, patienceSeconds, circumstance);
        }),
    })),
  ];
};

const byNumber = (a: number, b: number): number => a - b;
const inOrder = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1);

function answered(number: number, segment: Uint8Array, response: Response): void {
  same(`code of ${number}`, codeIn(response), done);
  holds(`the answer to ${number} is its own`, isAnswerTo(numbered(number, { segment }), response.message));
}

const sendsEach = 8;

/** Four clients and three servers that go from host to host without end. */
function wandering(world: World, patienceSeconds: number, { isAway }: Circumstances): void {
  const random = world.engine.random('wanderers of a check');
  const servers = [0, 1, 2].map(
    (i) => new Traveller(world.host(i), { worksNs: (n) => ms([0, 1, 30, 400][n % 4] ?? 0) }),
  );
  const clients = world.hosts.map((host) => new Traveller(host));
  for (const traveller of [...servers, ...clients]) {
    const next = (): Host => random.pick(world.hosts.filter((host) => host !== traveller.host));
    const pauseNs = (): number => random.below(ms(300));
    const transitNs = (): number => (isAway ? random.below(ms(20)) : 0);
    world.engine.root.spawn('wanderer', traveller.wander(next, pauseNs, transitNs));
  }
  let n = 0;
  const threads = clients.map((client) =>
    client.spawn(
      (function* (): Task<void> {
        for (let i = 0; i < sendsEach; i++) {
          const number = ++n;
          const segment = pattern(random.chance(0.3) ? random.below(9000) : 0, i);
          const { entity } = random.pick(servers);
          const response = yield* client.send(entity, numbered(number, { segment }));
          answered(number, segment, response);
        }
      })(),
    ),
  );
  for (const thread of threads) ended(world, patienceSeconds, thread.join());
  const seen = servers.flatMap((server) => server.seen).toSorted(byNumber);
  same('seen', seen, inOrder(n));
}

export const noMoveClauses = ({ boards }: Bounds): readonly Check[] => [
  {
    name: 'entities of a transport that does not promise it do not move: it has no `moves`',
    run: () => {
      const world = new World(boards, names);
      for (const host of world.hosts) same('moves', entitiesOf(host).moves === undefined, true);
    },
  },
];
