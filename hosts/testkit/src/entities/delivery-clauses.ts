/** What a service may say of a request, and the flags of messages. */
import { seconds, type Thread } from '@backplane/engine';
import { MessageFlag, message, ReplyCode, type Response } from '@backplane/slots';
import { pattern } from '@backplane/slots/testing';
import { type Check, holds, same, within } from '../check.ts';
import { World } from '../transport/world.ts';
import { Desk, names } from './desk.ts';
import { answerTo, codeIn, done, isAnswerTo, numbered } from './messages.ts';
import type { Bounds } from './under-test.ts';

/** A client on the first host, and a server there and on another one. */
function twice(boards: Bounds['boards'], body: (world: World, client: Desk, i: number) => void): void {
  for (const i of [0, 1]) {
    const world = new World(boards, names);
    const client = new Desk(world.host(0));
    world.drive(function* () {});
    body(world, client, i);
  }
}

export const deliveryClauses = ({ boards, silenceSeconds, noticeSeconds }: Bounds): readonly Check[] => [
  {
    name: 'a conditional request to a server that does not wait for one ends with notAwaitingMessage',
    run: () =>
      twice(boards, (world, client, i) => {
        const server = new Desk(world.host(i), { delivery: 'notAwaiting' });
        const asked = numbered(1, { flags: MessageFlag.conditional });
        const response = client.asks(world, server.entity, asked);
        same('code', codeIn(response), ReplyCode.notAwaitingMessage);
        same('who was asked', response.from, server.entity);
        server.manner = {};
        const again = numbered(2, { flags: MessageFlag.conditional });
        same('one that does wait', client.code(world, server.entity, again), done);
      }),
  },
  ...(['busy', 'frozen'] as const).map(
    (delivery): Check => ({
      name: `a request to a server that is ${delivery} is tried again until the server takes it, and is seen once`,
      run: () =>
        twice(boards, (world, client, i) => {
          const server = new Desk(world.host(i), { delivery });
          const asked = numbered(1, { segment: pattern(3000, 1) });
          const thread: Thread<Response> = client.host.spawn(client.sending(server.entity, asked));
          world.after(seconds(2 * silenceSeconds));
          same('ended while it was not taken', thread.ended, false);
          server.manner = {};
          world.after(seconds(noticeSeconds));
          same('ended', thread.ended, true);
          const { message: m } = world.drive(() => thread.join());
          holds('the answer is right', isAnswerTo(asked, m));
          same('seen', server.seen, [1]);
        }),
    }),
  ),
  {
    name: 'a client whose request was discarded is told responseDiscarded',
    run: () =>
      twice(boards, (world, client, i) => {
        for (const worksNs of [0, seconds(1), seconds(20)]) {
          const server = new Desk(world.host(i), { worksNs, ends: 'discard' });
          const startNs = world.engine.nowNs;
          same('code', client.code(world, server.entity, numbered(1)), ReplyCode.responseDiscarded);
          const tookNs = world.engine.nowNs - startNs - worksNs;
          within('seconds', tookNs / 1e9, 0, silenceSeconds);
          same('seen', server.seen, [1]);
        }
      }),
  },
  {
    name: 'a datagram returns at once, and is seen once where the way to its server is known',
    run: () =>
      twice(boards, (world, client, i) => {
        const server = new Desk(world.host(i));
        client.asks(world, server.entity, numbered(0));
        for (let n = 1; n <= 4; n++) {
          const startNs = world.engine.nowNs;
          const segment = pattern(500 * n, n);
          client.asks(world, server.entity, numbered(n, { segment, flags: MessageFlag.datagram }));
          within('milliseconds', (world.engine.nowNs - startNs) / 1e6, 0, 5);
          world.after(seconds(1));
        }
        world.after(seconds(silenceSeconds));
        same('seen', server.seen, [0, 1, 2, 3, 4]);
      }),
  },
  {
    name: 'a datagram to nobody returns at once, and a response to a datagram goes nowhere',
    run: () =>
      twice(boards, (world, client, i) => {
        const gone = new Desk(world.host(i));
        gone.leave();
        const startNs = world.engine.nowNs;
        client.asks(world, gone.entity, numbered(1, { flags: MessageFlag.datagram }));
        within('milliseconds', (world.engine.nowNs - startNs) / 1e6, 0, 5);
        const server = new Desk(world.host(i));
        client.asks(world, server.entity, numbered(2, { flags: MessageFlag.datagram }));
        same('the next request', client.code(world, server.entity, numbered(3)), done);
        world.after(seconds(silenceSeconds));
        same('another one', client.code(world, server.entity, numbered(4)), done);
      }),
  },
  {
    name: 'a response that may be made again arrives like any other',
    run: () =>
      twice(boards, (world, client, i) => {
        const server = new Desk(world.host(i), { worksNs: Infinity });
        for (const n of [0, 1]) {
          const asked = numbered(n, { segment: pattern(9000, n) });
          const thread = client.host.spawn(client.sending(server.entity, asked));
          world.after(seconds(1 + 10 * n));
          const [request] = server.requests.splice(0);
          if (request === undefined) throw new Error('the request was not seen');
          server.host.spawn(request.respond(answerTo(request.message, MessageFlag.datagram)));
          holds('the answer is right', isAnswerTo(asked, world.drive(() => thread.join()).message));
        }
      }),
  },
  {
    name: 'all codes and words of a user cross as they are',
    run: () =>
      twice(boards, (world, client, i) => {
        const server = new Desk(world.host(i), { worksNs: Infinity });
        for (const [n, code] of [0x80_0000, 0xff_ffff, 0x80_1234, 0xab_cdef].entries()) {
          const words = Array.from({ length: 7 }, (_, w) => Math.imul(0x9e37_79b9, 7 * n + w + 1) >>> 0);
          const asked = message({ code: code & 0x7f_ffff, words });
          const thread = client.host.spawn(client.sending(server.entity, asked));
          world.after(seconds(1));
          const [request] = server.requests.splice(0);
          if (request === undefined) throw new Error('the request was not seen');
          same('request', [...request.message.control], [...asked.control]);
          const answer = message({ code, words: words.toReversed() });
          server.host.spawn(request.respond(answer));
          const found = world.drive(() => thread.join()).message;
          same('response', [...found.control.subarray(1)], [...answer.control.subarray(1)]);
        }
      }),
  },
];
