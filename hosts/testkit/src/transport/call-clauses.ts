/** A call: what it brings, what it fails with, and that it waits. */
import { ms, seconds, sleep, type Task, type Thread } from '@backplane/engine';
import { KernelError, type Payload, silent } from '@backplane/slots';
import { kindOf, pattern } from '@backplane/slots/testing';
import { type Check, holds, same, within } from '../check.ts';
import { back, equal, nobodys, nothing, numbered, numberOf, numbers, work } from './calls.ts';
import type { Bounds } from './under-test.ts';
import { World } from './world.ts';

export const callClauses = ({ boards, silenceSeconds }: Bounds): readonly Check[] => [
  {
    name: 'a call brings parameters and data of every size up to the limits, there and back',
    run: () => {
      const world = new World(boards, ['client', 'server']);
      const [client, server] = [world.host(0), world.host(1)];
      server.serves(function* (asked): Task<Payload> {
        return asked;
      });
      const { maxParametersBytes, maxDataBytes } = client.transport;
      const parameters = [0, 1, 3, 4, 100, maxParametersBytes - 1, maxParametersBytes];
      const data = [0, 1, 2, 1400, 1500, 4096, maxDataBytes - 1, maxDataBytes].filter(
        (n) => n <= maxDataBytes,
      );
      world.on(client, function* () {
        for (const p of parameters)
          for (const d of data) {
            const asked: Payload = { parameters: pattern(p, 1), data: pattern(d, 2) };
            const reply = yield* client.transport.call(server.id, work, asked);
            holds(`${p} bytes of parameters and ${d} of data are the same`, equal(reply, asked));
          }
      });
    },
  },
  {
    name: 'a request beyond the limits is an error and never cut',
    run: () => {
      const world = new World(boards, ['client', 'server']);
      const [client, server] = [world.host(0), world.host(1)];
      let served = 0;
      server.serves(function* (asked): Task<Payload> {
        served++;
        return asked;
      });
      const { maxParametersBytes, maxDataBytes } = client.transport;
      for (const [p, d] of [
        [maxParametersBytes + 1, 0],
        [0, maxDataBytes + 1],
      ] as const) {
        const outcome = world.on(client, function* () {
          try {
            yield* client.transport.call(server.id, work, { parameters: pattern(p, 1), data: pattern(d, 1) });
            return 'returned';
          } catch {
            return 'threw';
          }
        });
        same(`a call with ${p} and ${d} bytes`, outcome, 'threw');
      }
      same('handlers run', served, 0);
    },
  },
  {
    name: 'calls of many threads at once each get their own answer',
    run: () => {
      const world = new World(boards, ['client', 'server']);
      const [client, server] = [world.host(0), world.host(1)];
      server.serves(function* (asked): Task<Payload> {
        yield* sleep(ms((numberOf(asked) * 37) % 90));
        return asked;
      });
      world.drive(function* () {
        const threads: Thread<boolean>[] = [];
        for (let i = 0; i < 40; i++)
          threads.push(
            client.spawn(
              (function* (): Task<boolean> {
                const asked = numbered(i, 10, 50 * i);
                return equal(yield* client.transport.call(server.id, work, asked), asked);
              })(),
            ),
          );
        for (const [i, thread] of threads.entries()) holds(`answer ${i} is its own`, yield* thread.join());
      });
    },
  },
  {
    name: 'a call to oneself runs the handler locally, with the same coding and the same errors',
    run: () => {
      const world = new World(boards, ['host']);
      const host = world.host(0);
      const sent = numbered(1, 20, 300);
      let identical = true;
      let caller = '';
      host.serves(function* (asked, from): Task<Payload> {
        identical = asked === sent && asked.parameters === sent.parameters && numberOf(asked) !== 1;
        caller = `${from.host}.${from.bootId}`;
        if (asked.data.length === 0) throw new KernelError('permission');
        return asked;
      });
      world.on(host, function* () {
        holds('the bytes are the same', equal(yield* host.transport.call(host.id, work, sent), sent));
        same(
          'a handler that fails',
          yield* kindOf(host.transport.call(host.id, work, nothing)),
          'permission',
        );
        same(
          'nobody serves it',
          yield* kindOf(host.transport.call(host.id, nobodys, nothing)),
          'unsupported',
        );
      });
      same('the value crossed as bytes', identical, false);
      same('the caller', caller, `${host.id}.${host.machine.bootId}`);
    },
  },
  {
    name: 'a handler learns who calls, and which of its lives',
    run: () => {
      const world = new World(boards, ['client', 'server']);
      const [client, server] = [world.host(0), world.host(1)];
      const callers: string[] = [];
      server.serves(function* (asked, { host, bootId }): Task<Payload> {
        callers.push(`${host}.${bootId}`);
        return asked;
      });
      world.on(client, () => client.transport.call(server.id, work, nothing));
      const first = client.machine.bootId;
      client.reboot();
      world.on(client, () => client.transport.call(server.id, work, nothing));
      same('callers', callers, [`${client.id}.${first}`, `${client.id}.${client.machine.bootId}`]);
    },
  },
  {
    name: "a handler's KernelError crosses as its kind; what nobody serves is unsupported; no value is badArgument",
    run: () => {
      const world = new World(boards, ['client', 'server']);
      const [client, server] = [world.host(0), world.host(1)];
      let runs = 0;
      server.setUp((transport) => {
        transport.serve(numbers, function* ({ value }): Task<{ value: number }> {
          runs++;
          if (value === 1) throw new KernelError('notEmpty');
          if (value === 2) throw new KernelError('tooManyLinks');
          return { value };
        });
      });
      const call = (value: number): string =>
        world.on(client, () => kindOf(client.transport.call(server.id, numbers, { value })));
      same('kinds', [call(1), call(2), call(3)], ['notEmpty', 'tooManyLinks', 'ok']);
      const kind = world.on(client, () => kindOf(client.transport.call(server.id, nobodys, nothing)));
      same('nobody serves it', kind, 'unsupported');
      const bad = world.on(client, () =>
        kindOf(client.transport.call(server.id, work, { ...nothing, parameters: pattern(3, 1) })),
      );
      same('bytes that are no value', bad, 'badArgument');
      same('handlers run', runs, 3);
    },
  },
  {
    name: 'a handler that stays silent towards a single caller does not leave it waiting',
    run: () => {
      const world = new World(boards, ['client', 'server']);
      const [client, server] = [world.host(0), world.host(1)];
      server.setUp((transport) =>
        transport.serve(work, function* (): Task<typeof silent> {
          return silent;
        }),
      );
      const kind = world.on(client, () => kindOf(client.transport.call(server.id, work, nothing)));
      holds('the call fails', kind !== 'ok');
    },
  },
  {
    name: 'a procedure is served until that is taken back, and by one handler at a time',
    run: () => {
      const world = new World(boards, ['client', 'server']);
      const [client, server] = [world.host(0), world.host(1)];
      const handler = function* (asked: Payload): Task<Payload> {
        return asked;
      };
      const undo = server.transport.serve(work, handler);
      let refused = false;
      try {
        server.transport.serve(work, handler);
      } catch {
        refused = true;
      }
      holds('a second handler is refused', refused);
      const call = (): string =>
        world.on(client, () => kindOf(client.transport.call(server.id, work, nothing)));
      same('served', call(), 'ok');
      undo();
      undo();
      same('taken back', call(), 'unsupported');
      server.transport.serve(work, handler);
      same('served again', call(), 'ok');
    },
  },
  {
    name: 'a busy server is never a time-out',
    run: () => {
      const world = new World(boards, ['client', 'server']);
      const [client, server] = [world.host(0), world.host(1)];
      let runs = 0;
      server.serves(function* (asked): Task<Payload> {
        runs++;
        yield* sleep(seconds(10 * silenceSeconds));
        return asked;
      });
      const kind = world.on(client, () => kindOf(client.transport.call(server.id, work, nothing)));
      same('the call', kind, 'ok');
      same('handlers run', runs, 1);
      holds('the peer counts as alive', client.transport.peers.isAlive(server.id));
    },
  },
  {
    name: 'a handler may call others, and call back its caller',
    run: () => {
      const world = new World(boards, ['client', 'server', 'third']);
      const [client, server, third] = [world.host(0), world.host(1), world.host(2)];
      for (const host of [client, third])
        host.setUp((transport) =>
          transport.serve(back, function* (): Task<Payload> {
            return numbered(host.id, 4, 0);
          }),
        );
      server.serves(function* (_asked, from): Task<Payload> {
        const { transport } = server;
        const a = numberOf(yield* transport.call(third.id, back, nothing));
        const b = numberOf(yield* transport.call(from.host, back, nothing));
        return numbered(10 * a + b, 4, 0);
      });
      const reply = world.on(client, () => client.transport.call(server.id, work, nothing));
      same('the answer', numberOf(reply), 10 * third.id + client.id);
    },
  },
  {
    name: 'a call to a host that does not answer fails with peerDown',
    run: () => {
      const world = new World(boards, ['client', 'server']);
      const [client, server] = [world.host(0), world.host(1)];
      server.serves(function* (asked): Task<Payload> {
        return asked;
      });
      const call = (): string =>
        world.on(client, () => kindOf(client.transport.call(server.id, work, nothing)));
      const inVain = (): void => {
        const { nowNs } = world.engine;
        same('a call in vain', call(), 'peerDown');
        within('seconds of hope', (world.engine.nowNs - nowNs) / 1e9, 0, silenceSeconds);
      };
      world.cut(client, server);
      inVain(); // it was never heard
      world.mend();
      same('a call over the mended wire', call(), 'ok');
      world.cut(client, server);
      inVain();
      server.crash();
      world.mend();
      inVain();
      server.boot();
      same('a call to the next life', call(), 'ok');
    },
  },
  {
    name: 'a caller that is cancelled leaves nothing behind that harms later calls',
    run: () => {
      const world = new World(boards, ['client', 'server']);
      const [client, server] = [world.host(0), world.host(1)];
      server.serves(function* (asked): Task<Payload> {
        yield* sleep(ms(numberOf(asked)));
        return asked;
      });
      world.drive(function* () {
        for (let i = 0; i < 30; i++) {
          const asked = numbered(400, 4, 100 * i);
          const thread = client.spawn(client.transport.call(server.id, work, asked));
          yield* sleep(ms(7 * i));
          thread.cancel();
        }
        const asked = numbered(1, 4, 100);
        const thread = client.spawn(client.transport.call(server.id, work, asked));
        holds('the next call gets its own answer', equal(yield* thread.join(), asked));
      });
    },
  },
];
