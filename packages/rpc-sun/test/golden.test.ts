/** Messages written by hand from RFC 1057 and RFC 1014, word for word. */
import type { Task } from '@backplane/engine';
import { nothing, other, work } from '@backplane/rpc-service/testing';
import { KernelError, type Payload, silent } from '@backplane/slots';
import { kindOf } from '@backplane/slots/testing';
import { asIpv4, decodeUdp } from '@backplane/wire';
import { beforeEach, describe, expect, it } from 'vitest';
import { calls, Hand, message, none, opaque, questions, short, unix, wordsOf } from './hand.ts';
import { type Host, World } from './world.ts';

let world: World;
let server: Host;
let hand: Hand;
/** The short hand of the server's life, as a credential and as a verifier; its words. */
let credential: Uint8Array;
let verifier: number[];

const nine = [1, 2, 3, 4, 5, 6, 7, 8, 9];
const handBoot = 77;
/** The first xid of a life to host 1: lives are 16384 apart, servers 2^22, and questions begin 2^31 on. */
const start = handBoot * 0x4000;
const first = start + 0x40_0000 + 1;

beforeEach(() => {
  world = new World();
  server = world.host('server');
  server.setUp((t) => {
    t.serve(work, function* (asked): Task<Payload> {
      if (asked.data.length === 9) throw new KernelError('notFound');
      return { parameters: asked.data, data: asked.parameters };
    });
    t.serve(other, function* (): Task<typeof silent> {
      return silent;
    });
  });
  hand = new Hand(world, 9);
  credential = short(server.bootId, 0, 9, handBoot);
  verifier = wordsOf(credential);
});

describe('the server, word for word', () => {
  it('answers the null procedure, and gives a short hand to who introduces itself', () => {
    const asked = message(5, 0, 2, calls, 1, 0, unix(handBoot), none);
    expect(hand.ask(server, asked)).toEqual([5, 1, 0, ...verifier, 0]);
    expect(hand.ask(server, message(6, 0, 2, calls, 1, 0, none, none))).toEqual([6, 1, 0, 0, 0, 0]);
  });

  it('executes a call and answers it with status, parameters and data', () => {
    const asked = message(
      first,
      0,
      2,
      calls,
      1,
      work.id,
      credential,
      none,
      opaque(1, 2, 3),
      opaque(4, 5, 6, 7, 8),
    );
    expect(hand.ask(server, asked)).toEqual([
      ...[first, 1, 0, ...verifier, 0, 0],
      ...[5, 0x04050607, 0x08000000],
      ...[3, 0x01020300],
    ]);
  });

  it('answers with the number of the kind of error', () => {
    const asked = message(first, 0, 2, calls, 1, work.id, credential, none, opaque(), opaque(...nine));
    expect(hand.ask(server, asked)?.slice(-4)).toEqual([0, 1, 0, 0]);
    const silence = message(first + 1, 0, 2, calls, 1, other.id, credential, none, opaque(), opaque());
    expect(hand.ask(server, silence)?.slice(-3)).toEqual([25, 0, 0]);
  });

  it('says what is not there: the RPC version, the program, its version, the procedure', () => {
    const ask = (...words: readonly (number | Uint8Array)[]) => hand.ask(server, message(...words));
    expect(ask(7, 0, 3, calls, 1, 0, none, none)).toEqual([7, 1, 1, 0, 2, 2]);
    expect(ask(8, 0, 2, 100_003, 2, 0, unix(handBoot), none)).toEqual([8, 1, 0, 0, 0, 1]);
    expect(ask(9, 0, 2, calls, 2, 0, unix(handBoot), none)).toEqual([9, 1, 0, 0, 0, 2, 1, 1]);
    const unknown = ask(first, 0, 2, calls, 1, 99, credential, none, opaque(), opaque());
    expect(unknown).toEqual([first, 1, 0, ...verifier, 3]);
  });

  it('says that arguments are garbage', () => {
    for (const [i, body] of [
      message(),
      opaque(1),
      message(opaque(), opaque(), 0),
      message(4, 0, 5),
    ].entries()) {
      const asked = message(first + i, 0, 2, calls, 1, work.id, credential, none, body);
      expect(hand.ask(server, asked)).toEqual([first + i, 1, 0, ...verifier, 4]);
    }
    const tooLong = message(
      first + 9,
      0,
      2,
      calls,
      1,
      work.id,
      credential,
      none,
      1025,
      new Uint8Array(1028),
      0,
    );
    expect(hand.ask(server, tooLong)?.at(-1)).toBe(4);
  });

  it('refuses a credential that makes no sense, is too weak, or was given by another life', () => {
    const denied = (auth: Uint8Array, procedure = work.id): number[] | undefined =>
      hand.ask(server, message(first, 0, 2, calls, 1, procedure, auth, none, opaque(), opaque()));
    const because = (status: number): number[] => [first, 1, 1, 1, status];
    expect(denied(message(3, 0))).toEqual(because(1));
    expect(denied(message(1, 4, 1))).toEqual(because(1));
    expect(denied(unix(0))).toEqual(because(1));
    expect(denied(none)).toEqual(because(5));
    expect(denied(unix(handBoot))).toEqual(because(5));
    expect(denied(short(server.bootId - 1, 0, 9, handBoot))).toEqual(because(2));
    expect(denied(short(server.bootId, 0, 8, handBoot))).toEqual(because(2));
    expect(server.metric('refused')).toBe(7);
    expect(server.metric('served')).toBe(0);
  });

  it('answers a question to everybody, and is silent when it has no answer', () => {
    const question = (xid: number, procedure: number, data: Uint8Array): number[] | undefined => {
      hand.heard.length = 0;
      hand.say({ id: 0 }, message(xid, 0, 2, questions, 1, procedure, unix(handBoot), none, opaque(), data));
      world.after(1e7);
      return hand.heard[0] && wordsOf(hand.heard[0]);
    };
    const base = start + 0x8000_0000 + 1;
    expect(question(base, work.id, opaque(1))).toEqual([base, 1, 0, ...verifier, 0, 0, 1, 0x01000000, 0]);
    expect(question(base + 1, work.id, opaque(...nine))).toBeUndefined();
    expect(question(base + 2, other.id, opaque())).toBeUndefined();
    expect(question(base + 3, 99, opaque())).toBeUndefined();
  });
});

describe('the client, word for word', () => {
  it('introduces itself with its name and its life, and uses the short hand that it gets', () => {
    const client = world.host('client');
    expect(world.drive(() => kindOf(client.transport.call(server.id, work, nothing)))).toBe('ok');
    const [introduction, , call] = world.net.carried.map(({ bytes, from, to }) => {
      const address = (host: number) => asIpv4(0x0a01_0000 + host);
      return decodeUdp(bytes, { source: address(from), destination: address(to) });
    });
    const name = [...'client'].map((c) => c.charCodeAt(0));
    expect([introduction?.sourcePort, introduction?.destinationPort]).toEqual([1023, 1017]);
    const [xid = 0, ...rest] = wordsOf(introduction?.payload ?? new Uint8Array(0));
    const body = message(client.bootId, opaque(...name), 0, 0, 0);
    expect(rest).toEqual([0, 2, calls, 1, 0, 1, body.length, ...wordsOf(body), 0, 0]);
    const its = wordsOf(short(server.bootId, 0, client.id, client.bootId));
    expect(wordsOf(call?.payload ?? new Uint8Array(0))).toEqual([
      ...[xid - 1, 0, 2, calls, 1, work.id, ...its, 0, 0],
      ...[0, 0],
    ]);
  });
});
