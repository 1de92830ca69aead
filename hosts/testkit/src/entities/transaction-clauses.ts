/** One client, one server: what a transaction brings, and when it ends. */
import { ms, seconds, type Thread } from '@backplane/engine';
import { normalPriority, ReplyCode, type Response, segmentBytesMax } from '@backplane/slots';
import { pattern, sameBytes } from '@backplane/slots/testing';
import { type Check, holds, same, within } from '../check.ts';
import { World } from '../transport/world.ts';
import { Desk, entitiesOf, names } from './desk.ts';
import { codeIn, done, isAnswerTo, numbered, numberOf } from './messages.ts';
import type { Bounds } from './under-test.ts';

const sizes = [
  0,
  1,
  3,
  4,
  511,
  512,
  513,
  1400,
  1500,
  4096,
  8191,
  8192,
  8193,
  segmentBytesMax - 1,
  segmentBytesMax,
];

export const transactionClauses = ({ boards, silenceSeconds, noticeSeconds }: Bounds): readonly Check[] => [
  {
    name: 'a transaction brings 32 bytes and a segment of every size up to the limit, there and back, also on its own host',
    run: () => {
      const world = new World(boards, names);
      const client = new Desk(world.host(0));
      for (const i of [0, 1]) {
        const server = new Desk(world.host(i));
        for (const [n, bytes] of sizes.entries()) {
          const asked = numbered(n, { segment: pattern(bytes, n) });
          const { from, message } = client.asks(world, server.entity, asked);
          same(`who answered the one with ${bytes} bytes`, from, server.entity);
          holds(`the answer to the one with ${bytes} bytes is right`, isAnswerTo(asked, message));
          const arrived = server.requests[n]?.message;
          holds('the 32 bytes arrived', sameBytes(arrived?.control ?? pattern(0, 1), asked.control));
          holds('the segment arrived', sameBytes(arrived?.segment ?? pattern(1, 1), asked.segment));
        }
      }
    },
  },
  {
    name: 'a service learns who asks, by which number it was reached, and how urgent it is',
    run: () => {
      const world = new World(boards, names);
      const client = new Desk(world.host(0));
      for (const i of [0, 1]) {
        const server = new Desk(world.host(i));
        client.asks(world, server.entity, numbered(1));
        for (const priority of [0, 3, 15]) client.asks(world, server.entity, numbered(2), { priority });
        const [request] = server.requests;
        same('client', request?.client ?? '', client.entity);
        same('to', request?.to ?? '', server.entity);
        same(
          'priorities',
          server.requests.map(({ priority }) => priority),
          [normalPriority, 0, 3, 15],
        );
      }
    },
  },
  {
    name: 'transactions of many clients at once each get their own answer',
    run: () => {
      const world = new World(boards, names);
      const servers = world.hosts.map((host) => new Desk(host, { worksNs: ms(30) }));
      const clients = Array.from({ length: 24 }, (_, i) => new Desk(world.host(i % 4)));
      world.drive(function* () {
        const threads: Thread<Response>[] = [];
        for (const [i, client] of clients.entries()) {
          const server = servers[(i * 7) % 4];
          if (server === undefined) throw new Error('a server');
          threads.push(
            client.host.spawn(client.sending(server.entity, numbered(i, { segment: pattern(100 * i, i) }))),
          );
        }
        for (const [i, thread] of threads.entries()) {
          const { message } = yield* thread.join();
          holds(`answer ${i} is its own`, isAnswerTo(numbered(i, { segment: pattern(100 * i, i) }), message));
        }
      });
    },
  },
  {
    name: 'a transaction on its own host needs no frames',
    run: () => {
      const world = new World(boards, names);
      const [client, server] = [new Desk(world.host(0)), new Desk(world.host(0))];
      world.after(seconds(5));
      const before = world.frames;
      const code = client.code(world, server.entity, numbered(1, { segment: pattern(5000, 1) }));
      same('code', code, done);
      same('frames', world.frames - before, 0);
    },
  },
  {
    name: 'a client without a limit waits for as long as a living server works',
    run: () => {
      const world = new World(boards, names);
      const client = new Desk(world.host(0));
      for (const i of [0, 1]) {
        const server = new Desk(world.host(i), { worksNs: seconds(5 * silenceSeconds) });
        same('code', client.code(world, server.entity, numbered(1)), done);
        same('seen', server.seen, [1]);
      }
    },
  },
  {
    name: "the client's own limit ends a transaction with userTimeout, also while the server is busy, frozen or works",
    run: () => {
      const world = new World(boards, names);
      const client = new Desk(world.host(0));
      for (const i of [0, 1])
        for (const manner of [{ delivery: 'busy' }, { delivery: 'frozen' }, { worksNs: Infinity }] as const) {
          const server = new Desk(world.host(i), manner);
          client.asks(world, new Desk(world.host(i)).entity, numbered(0));
          const startNs = world.engine.nowNs;
          const response = client.asks(world, server.entity, numbered(1), { timeoutNs: seconds(3) });
          same(`code (${JSON.stringify(manner)})`, codeIn(response), ReplyCode.userTimeout);
          same('who was asked', response.from, server.entity);
          within('seconds', (world.engine.nowNs - startNs) / 1e9, 2.99, 4);
        }
    },
  },
  {
    name: 'a limit that is not reached changes nothing',
    run: () => {
      const world = new World(boards, names);
      const client = new Desk(world.host(0));
      for (const i of [0, 1]) {
        const server = new Desk(world.host(i), { worksNs: seconds(2) });
        const limit = { timeoutNs: seconds(10) };
        same('code', client.code(world, server.entity, numbered(1), limit), done);
        server.manner = {};
        const asked = numbered(2, { segment: pattern(9000, 2) });
        holds('the next one', isAnswerTo(asked, client.asks(world, server.entity, asked, limit).message));
        same('seen', server.seen, [1, 2]);
      }
    },
  },
  {
    name: 'a late answer is lost: it does not answer the next request of the client',
    run: () => {
      const world = new World(boards, names);
      const client = new Desk(world.host(0));
      for (const i of [0, 1]) {
        const server = new Desk(world.host(i), { worksNs: Infinity });
        const code = client.code(world, server.entity, numbered(1), { timeoutNs: seconds(2) });
        same('the first', code, ReplyCode.userTimeout);
        const second = client.host.spawn(client.sending(server.entity, numbered(2)));
        world.after(seconds(2));
        same('seen', server.seen, [1, 2]);
        server.answer(0);
        world.after(seconds(2));
        same('answered by the answer to the first', second.ended, false);
        server.answer(1);
        same('the second', numberOf(world.drive(() => second.join()).message), 2);
      }
    },
  },
  {
    name: 'a request of a client that gave it up is abandoned, and its service is told so once',
    run: () => {
      const world = new World(boards, names);
      const client = new Desk(world.host(0));
      for (const i of [0, 1]) {
        const server = new Desk(world.host(i), { worksNs: Infinity });
        const thread = client.host.spawn(
          client.sending(server.entity, numbered(1), { timeoutNs: seconds(2) }),
        );
        world.after(seconds(1));
        same('abandoned while the client waits', server.requests[0]?.abandoned ?? null, false);
        world.drive(() => thread.join());
        world.after(seconds(silenceSeconds + noticeSeconds));
        same('abandoned', server.requests[0]?.abandoned ?? null, true);
        same('told', server.told, [1]);
      }
    },
  },
  {
    name: 'a request of a client that has begun another transaction is abandoned',
    run: () => {
      const world = new World(boards, names);
      const client = new Desk(world.host(0));
      for (const i of [0, 1]) {
        const server = new Desk(world.host(i), { worksNs: Infinity });
        client.asks(world, server.entity, numbered(1), { timeoutNs: seconds(1) });
        server.manner = {};
        same('the next one', client.code(world, server.entity, numbered(2)), done);
        world.after(seconds(silenceSeconds + noticeSeconds));
        same('abandoned', server.requests[0]?.abandoned ?? null, true);
        same('told', server.told, [1]);
        server.answer(0);
        world.after(seconds(2));
        same('a third one', client.code(world, server.entity, numbered(3)), done);
      }
    },
  },
  {
    name: 'one entity may be client and server, and ask while it is asked',
    run: () => {
      const world = new World(boards, names);
      const client = new Desk(world.host(0));
      const last = new Desk(world.host(2));
      const middle = entitiesOf(world.host(1)).mint();
      const host = world.host(1);
      entitiesOf(host).attach(middle, {
        arrived(request) {
          host.spawn(
            (function* () {
              const { message } = yield* entitiesOf(host).send(middle, last.entity, request.message);
              yield* request.respond(message);
            })(),
          );
          return 'taken';
        },
      });
      const response = client.asks(world, middle, numbered(5));
      same('who answered', response.from, middle);
      holds('with the answer of the last', isAnswerTo(numbered(5), response.message));
    },
  },
];
