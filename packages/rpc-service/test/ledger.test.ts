import { ms, type RandomStream, sleep, type Task } from '@backplane/engine';
import type { Payload } from '@backplane/slots';
import { beforeEach, describe, expect, it } from 'vitest';
import { Ledger, total, work } from '../src/testing.ts';
import { type Host, Line } from './line.ts';

const pace = { dataBytesMax: 2000, slowNs: ms(100), usualNs: ms(5), pauseNs: ms(5) };

let line: Line;
let server: Host;
let client: Host;
let random: RandomStream;

beforeEach(() => {
  line = new Line();
  server = line.host();
  client = line.host();
  random = line.engine.random('course');
});

describe('a ledger of calls', () => {
  it('finds nothing wrong with a transport that does what it should', () => {
    const ledger = new Ledger(random, pace);
    ledger.serve(server.transport);
    line.drive(client, ledger.calls(client.transport, server.id, 50));
    expect([ledger.asked, ledger.answered, ledger.repeated, ledger.wrong]).toEqual([50, 50, [], []]);
  });

  it('notes what is executed twice', () => {
    const ledger = new Ledger(random, pace);
    ledger.serve(server.transport);
    const served = server.procedures.get(work.id);
    const request = { parameters: Uint8Array.of(0, 0, 0, 9), data: new Uint8Array(0) };
    for (let i = 0; i < 2; i++)
      line.drive(
        server,
        (function* (): Task<void> {
          yield* served?.handler(request, { host: client.id, bootId: 5 }) ?? sleep(0);
        })(),
      );
    expect(ledger.repeated).toEqual(['2.5.9']);
  });

  it('notes replies that are not the handler’s', () => {
    const ledger = new Ledger(random, pace);
    server.transport.serve(work, function* (): Task<Payload> {
      return { parameters: new Uint8Array(99), data: new Uint8Array(0) };
    });
    line.drive(client, ledger.calls(client.transport, server.id, 2));
    expect([ledger.answered, ledger.wrong]).toEqual([2, [1, 2]]);
  });

  it('counts calls that fail as asked only', () => {
    const ledger = new Ledger(random, pace);
    server.on = false;
    line.drive(client, ledger.calls(client.transport, server.id, 3));
    expect([ledger.asked, ledger.answered]).toEqual([3, 0]);
  });

  it('are added up over seeds', () => {
    expect(total(3, (seed) => ({ asked: 10, answered: seed }))).toEqual({ asked: 30, answered: 6 });
  });
});
