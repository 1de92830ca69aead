/**
 * Packets written by hand from the layout: 16 words, then parameters, then data. The first host boots in second 0x21fa8900
 * of its calendar; its life is 1 plus that number modulo 2^24 - 1, 0xfa8922.
 */
import { ms, seconds, sleep, type Task } from '@backplane/engine';
import { echoes, nothing, payload, work } from '@backplane/rpc-service/testing';
import { Frame, KernelError, type Payload, silent } from '@backplane/slots';
import { kindOf, pattern } from '@backplane/slots/testing';
import { describe as describeLayout } from '@backplane/wire';
import { beforeEach, describe, expect, it } from 'vitest';
import { spriteRpcHeader } from '../src/index.ts';
import { Hand, hex, words } from './hand.ts';
import { type Host, World } from './world.ts';

/** What two packets must have in common, in the form of `words`. */
const said = (text: string): string => words(hex(text));

describe('golden packets, the server', () => {
  let world: World;
  let server: Host;
  let hand: Hand;
  const request = (id: string, flags: string, rest: string): string => `
    0f0e0003 ${flags} 00000002 00000001 | version, flags, client 2, server 1
    00000003 fa892200 21fa8901 ${id}    | channel 3, life and process, boot, id
    000001f4 ${rest}`; // 500 us

  beforeEach(() => {
    world = new World();
    server = world.host('server');
    hand = new Hand(world, 2);
  });

  it('answers a request with a reply to its channel and id', () => {
    server.setUp((t) =>
      t.serve(work, function* ({ parameters, data }): Task<Payload> {
        return { parameters: Uint8Array.from([...parameters].reverse()), data: data.slice(0, 2) };
      }),
    );
    hand.say(
      server,
      request(
        '00000011',
        '00000110',
        '00000000 00000000 00000078 00000004 00000003 00000000 00000000 01020304 aabbcc',
      ),
    );
    expect(hand.listen(ms(10))).toEqual([
      said(`
        0f0e0003 00000400 00000002 00000001
        00000003 fa892200 21fa8900 00000011
        00000000 00000000 00000000 00000078
        00000004 00000002 00000000 00000000
        04030201 aabb`),
    ]);
  });

  it('takes a request whose bytes are swapped: header and parameters, not data', () => {
    server.setUp(echoes);
    hand.say(
      server,
      `03000e0f 10010000 02000000 01000000
       03000000 002289fa 0189fa21 11000000
       f4010000 00000000 00000000 78000000
       08000000 03000000 00000000 00000000
       04030201 08070605 aabbcc`,
    );
    expect(hand.listen(ms(10))).toEqual([
      said(`
        0f0e0003 00000400 00000002 00000001
        00000003 fa892200 21fa8900 00000011
        00000000 00000000 00000000 00000078
        00000008 00000003 00000000 00000000
        01020304 05060708 aabbcc`),
    ]);
  });

  it('names an error in the command of a reply with ERROR', () => {
    server.setUp((t) =>
      t.serve(work, function* (): Task<Payload> {
        throw new KernelError('notFound', 'no such thing');
      }),
    );
    hand.say(
      server,
      request('00000011', '00000110', '00000000 00000000 00000078 00000000 00000000 00000000 00000000'),
    );
    hand.say(
      server,
      request('00000012', '00000110', '00000000 00000000 0000001b 00000000 00000000 00000000 00000000'),
    );
    expect(hand.listen(ms(10))).toEqual([
      said(`
        0f0e0003 00000408 00000002 00000001
        00000003 fa892200 21fa8900 00000011
        00000000 00000000 00000000 00000001
        00000000 00000000 00000000 00000000`),
      // Nobody serves procedure 27.
      said(`
        0f0e0003 00000408 00000002 00000001
        00000003 fa892200 21fa8900 00000012
        00000000 00000000 00000000 0000001b
        00000000 00000000 00000000 00000000`),
    ]);
  });

  it('cuts a reply into full fragments, parameters first, and marks the last', () => {
    const reply = payload(12, 2860);
    server.setUp((t) =>
      t.serve(work, function* (): Task<Payload> {
        return reply;
      }),
    );
    hand.say(
      server,
      request('00000011', '00000110', '00000000 00000000 00000078 00000000 00000000 00000000 00000000'),
    );
    const head = '0f0e0003 LASTFLAG 00000002 00000001 00000003 fa892200 21fa8900 00000011 00000000';
    const first = head.replace('LASTFLAG', '00000400');
    const last = head.replace('LASTFLAG', '00000402');
    // 12 + 1424, 1436; nothing is left for a third.
    expect(hand.listen(ms(10))).toEqual([
      said(`${first} 00000002 00000001 00000078 0000000c 00000590 00000000 00000000
        ${words(reply.parameters)} ${words(reply.data.subarray(0, 1424))}`),
      said(`${last} 00000002 00000002 00000078 00000000 0000059c 0000000c 00000590
        ${words(reply.data.subarray(1424))}`),
    ]);
  });

  it('says which fragments of a request it has when the last of a batch leaves gaps', () => {
    const data = pattern(4000, 1);
    server.setUp((t) =>
      t.serve(work, function* (asked): Task<Payload> {
        return { parameters: new Uint8Array(0), data: asked.data.subarray(3998) };
      }),
    );
    const fragment = (flags: string, mask: string, size: string, at: string, bytes: Uint8Array): string =>
      request('00000011', flags, `00000003 ${mask} 00000078 00000000 ${size} 00000000 ${at} ${words(bytes)}`);
    hand.say(server, fragment('00000110', '00000001', '0000059c', '00000000', data.subarray(0, 1436)));
    hand.say(server, fragment('00000112', '00000004', '00000468', '00000b38', data.subarray(2872)));
    expect(hand.listen(ms(10))).toEqual([
      said(`
        0f0e0003 00000202 00000002 00000001
        00000003 fa892200 21fa8900 00000011
        00000000 00000000 00000005 00000078
        00000000 00000000 00000000 00000000`),
    ]);
    hand.say(server, fragment('00000112', '00000002', '0000059c', '0000059c', data.subarray(1436, 2872)));
    expect(hand.listen(ms(10))).toEqual([
      said(`
        0f0e0003 00000400 00000002 00000001
        00000003 fa892200 21fa8900 00000011
        00000000 00000000 00000000 00000078
        00000000 00000002 00000000 00000000
        ${words(data.subarray(3998))}`),
    ]);
  });

  it('sends again what a partial acknowledgement lacks', () => {
    const reply = payload(0, 4000);
    server.setUp((t) =>
      t.serve(work, function* (): Task<Payload> {
        return reply;
      }),
    );
    hand.say(
      server,
      request('00000011', '00000110', '00000000 00000000 00000078 00000000 00000000 00000000 00000000'),
    );
    hand.listen(ms(10));
    hand.say(
      server,
      request('00000011', '00000212', '00000000 00000005 00000078 00000000 00000000 00000000 00000000'),
    );
    const head = '0f0e0003 00000402 00000002 00000001 00000003 fa892200 21fa8900 00000011 00000000';
    expect(hand.listen(ms(10))).toEqual([
      said(`${head} 00000003 00000002 00000078 00000000 0000059c 00000000 0000059c
        ${words(reply.data.subarray(1436, 2872))}`),
    ]);
  });

  it('acknowledges a request that comes again while it works on it', () => {
    server.setUp((t) =>
      t.serve(work, function* (): Task<Payload> {
        yield* sleep(ms(50));
        return nothing;
      }),
    );
    const rest = '00000000 00000000 00000078 00000000 00000000 00000000 00000000';
    hand.say(server, request('00000011', '00000110', rest));
    expect(hand.listen(ms(10))).toEqual([]);
    hand.say(server, request('00000011', '00000111', rest));
    expect(hand.listen(ms(10))).toEqual([
      said(`
        0f0e0003 00000200 00000002 00000001
        00000003 fa892200 21fa8900 00000011
        00000000 00000000 00000000 00000078
        00000000 00000000 00000000 00000000`),
    ]);
  });

  it('probes an idle client and takes its ack with close', () => {
    server.setUp((t) =>
      t.serve(work, function* (): Task<Payload> {
        return nothing;
      }),
    );
    const rest = '00000000 00000000 00000078 00000000 00000000 00000000 00000000';
    hand.say(server, request('00000011', '00000110', rest));
    hand.listen(ms(10));
    expect(hand.listen(seconds(5))).toEqual([
      said(`
        0f0e0003 00000204 00000002 00000001
        00000003 fa892200 21fa8900 00000011
        00000000 00000000 00000000 00000078
        00000000 00000000 00000000 00000000`),
    ]);
    hand.say(server, request('00000011', '00000214', rest));
    expect(hand.listen(seconds(60))).toEqual([]);
    expect(server.meters.read('rpc.reclaimed')).toBe(0);
  });

  it('echoes for any life, and refuses other requests that were meant for another one', () => {
    const anyLife = (id: string, command: string): string => `
      0f0e0003 00000110 00000002 00000001 00000000 000000ff 21fa8901 ${id}
      00000000 00000000 00000000 ${command} 00000004 00000002 00000000 00000000 0a0b0c0d eeff`;
    hand.say(server, anyLife('00000011', '00000002'));
    hand.say(server, anyLife('00000012', '00000078'));
    expect(hand.listen(ms(10))).toEqual([
      said(`
        0f0e0003 00000400 00000002 00000001
        00000000 fa892200 21fa8900 00000011
        00000000 00000000 00000000 00000002
        00000004 00000002 00000000 00000000
        0a0b0c0d eeff`),
      // The life that is here began in that second, at its nanosecond 0.
      said(`
        0f0e0003 00000408 00000002 00000001
        00000000 fa8922ff 21fa8900 00000012
        00000000 00000000 00000000 0003000d
        00000008 00000000 00000000 00000000
        21fa8900 00000000`),
    ]);
    expect(server.meters.read('rpc.refused')).toBe(1);
  });

  it('tells the time to a host that does not know its own number yet', () => {
    // The station was heard before: so its number is known.
    hand.say(
      server,
      request('00000011', '00000110', '00000000 00000000 00000003 00000000 00000000 00000000 00000000'),
    );
    hand.listen(seconds(3) + ms(500));
    hand.say(
      server,
      `0f0e0003 00000110 00000000 00000000 00000001 000000ff 00000000 00000001
       00000000 00000000 00000000 00000005 00000000 00000000 00000000 00000000`,
    );
    const [reply] = hand.listen(ms(10));
    expect(reply?.slice(0, 18 * 9 - 1)).toBe(
      said(`
        0f0e0003 00000400 00000002 00000001
        00000001 fa892201 21fa8900 00000001
        00000000 00000000 00000000 00000005
        00000010 00000000 00000000 00000000
        21fa8903 0007a168`),
    );
  });

  it('stays silent when a handler does, and to questions that concern somebody else', () => {
    server.setUp((t) =>
      t.serve(work, function* (): Task<Payload | typeof silent> {
        return silent;
      }),
    );
    const toAll = (id: string, command: string): string => `
      0f0e0003 00000110 00000002 00000000 00000000 000000ff 21fa8901 ${id}
      00000000 00000000 00000000 ${command} 00000000 00000000 00000000 00000000`;
    hand.say(server, toAll('00000011', '00000078'));
    hand.say(server, toAll('00000012', '00000079'));
    expect(hand.listen(ms(500))).toEqual([]);
  });

  it('turns a client away with a nack that is also an ack, where that is the policy', () => {
    world = new World();
    const full = world.host('full', { servers: 1, serversMax: 1, nacks: true });
    full.setUp((t) =>
      t.serve(work, function* (): Task<Payload> {
        yield* sleep(seconds(1));
        return nothing;
      }),
    );
    const on = (channel: string): string => `
      0f0e0003 00000110 00000002 00000001 ${channel} fa892200 21fa8901 00000011
      00000000 00000000 00000000 00000078 00000000 00000000 00000000 00000000`;
    const client = new Hand(world, 2);
    client.say(full, on('00000000'));
    client.say(full, on('00000001'));
    expect(client.listen(ms(10))).toEqual([
      said(`
        0f0e0003 00001200 00000002 00000001
        00000001 fa8922ff 21fa8900 00000011
        00000000 00000000 00000000 00000078
        00000000 00000000 00000000 00000000`),
    ]);
  });
});

describe('golden packets, the client', () => {
  let world: World;
  let client: Host;
  let hand: Hand;
  /** From server 2, which booted in second 0x21fa8905: life 0xfa8927. */
  const reply = (id: string, flags: string, rest: string): string => `
    0f0e0003 ${flags} 00000001 00000002 00000000 fa892704 21fa8905 ${id} 00000000 ${rest}`;

  beforeEach(() => {
    world = new World();
    client = world.host('client');
    hand = new Hand(world, 2);
  });

  it('says hello to a host that it has never heard, then calls the life that answered', () => {
    const caller = client.spawn('caller', client.transport.call(hostTwo, work, payload(4, 3)));
    const [hello, ...more] = hand.listen(ms(10));
    expect(more).toEqual([]);
    // Identifiers begin at 0x4000 times the boot's second.
    expect(hello).toBe(
      said(`
        0f0e0003 00000110 00000001 00000002
        00000000 000000ff 21fa8900 a2400001
        00000000 00000000 00000000 00000002
        00000000 00000000 00000000 00000000`),
    );
    hand.say(
      client,
      reply('a2400001', '00000400', '00000000 00000000 00000002 00000000 00000000 00000000 00000000'),
    );
    expect(hand.listen(ms(10))).toEqual([
      said(`
        0f0e0003 00000110 00000001 00000002
        00000000 fa892704 21fa8900 a2400002
        00000000 00000000 00000000 00000078
        00000004 00000003 00000000 00000000
        ${words(pattern(4, 1))} ${words(pattern(3, 2))}`),
    ]);
    hand.say(
      client,
      reply('a2400002', '00000400', '00000000 00000000 00000078 00000002 00000001 00000000 00000000 abcd ef'),
    );
    const got = world.drive(() => caller.join());
    expect(words(got.parameters)).toBe('abcd');
    expect(words(got.data)).toBe('ef');
  });

  it('asks for an acknowledgement when it has to send again', () => {
    hello(world, client, hand, reply);
    client.spawn('caller', kindOf(client.transport.call(hostTwo, work, nothing)));
    const first = `0f0e0003 00000110 00000001 00000002 00000000 fa892704 21fa8900 a2400002
      00000000 00000000 00000000 00000078 00000000 00000000 00000000 00000000`;
    expect(hand.listen(ms(99))).toEqual([said(first)]);
    expect(hand.listen(ms(2))).toEqual([said(first.replace('00000110', '00000111'))]);
  });

  it('probes with the last fragment, then sends what the server lacks', () => {
    hello(world, client, hand, reply);
    const asked = payload(0, 4000);
    client.spawn('caller', kindOf(client.transport.call(hostTwo, work, asked)));
    const fragment = (flags: string, mask: string, from: number, to: number): string =>
      said(`
        0f0e0003 ${flags} 00000001 00000002 00000000 fa892704 21fa8900 a2400002
        00000000 00000003 ${mask} 00000078
        00000000 ${number(to - from)} 00000000 ${number(from)} ${words(asked.data.subarray(from, to))}`);
    expect(hand.listen(ms(499))).toEqual([
      fragment('00000110', '00000001', 0, 1436),
      fragment('00000110', '00000002', 1436, 2872),
      fragment('00000112', '00000004', 2872, 4000),
    ]);
    expect(hand.listen(ms(2))).toEqual([fragment('00000113', '00000004', 2872, 4000)]);
    hand.say(
      client,
      reply('a2400002', '00000202', '00000000 00000004 00000078 00000000 00000000 00000000 00000000'),
    );
    expect(hand.listen(ms(10))).toEqual([
      fragment('00000111', '00000001', 0, 1436),
      fragment('00000113', '00000002', 1436, 2872),
    ]);
  });

  it('says which fragments of a reply it has when no more come', () => {
    hello(world, client, hand, reply);
    client.spawn('caller', kindOf(client.transport.call(hostTwo, work, nothing)));
    hand.listen(ms(10));
    hand.say(
      client,
      reply('a2400002', '00000402', `00000003 00000004 00000078 00000000 00000002 00000000 00000b38 ffff`),
    );
    expect(hand.listen(ms(490))).toEqual([]);
    expect(hand.listen(ms(20))).toEqual([
      said(`
        0f0e0003 00000212 00000001 00000002 00000000 fa892704 21fa8900 a2400002
        00000000 00000000 00000004 00000078 00000000 00000000 00000000 00000000`),
    ]);
  });

  it('waits on while fragments of the reply come, however slowly', () => {
    hello(world, client, hand, reply);
    const caller = client.spawn('caller', client.transport.call(hostTwo, work, nothing));
    hand.listen(ms(10));
    for (let k = 0; k < 4; k++) {
      const rest = `00000004 ${number(1 << k)} 00000078 00000000 00000002 00000000 ${number(2 * k)} 0${k}ff`;
      hand.say(client, reply('a2400002', k === 3 ? '00000402' : '00000400', rest));
      hand.listen(seconds(5));
    }
    expect(words(world.drive(() => caller.join()).data)).toBe('00ff01ff 02ff03ff');
  });

  it('joins fragments in whatever memory they lie', () => {
    hello(world, client, hand, reply);
    const caller = client.spawn('caller', client.transport.call(hostTwo, work, nothing));
    hand.listen(ms(10));
    const whole = hex('00010203 04050607 08090a0b');
    const parts = [whole.subarray(0, 4), hex('f4f5f6f7'), whole.subarray(8)];
    for (const [k, part] of parts.entries()) {
      const head = hex(
        reply(
          'a2400002',
          '00000402',
          `00000003 ${number(1 << k)} 00000078 00000000 00000004 00000000 ${number(4 * k)}`,
        ),
      );
      hand.nic.send(new Frame(client.nic.address, hand.nic.address, 0x0500, [head, part]));
    }
    expect(words(world.drive(() => caller.join()).data)).toBe('00010203 f4f5f6f7 08090a0b');
  });

  it('does not answer a close on a channel that is busy with the server', () => {
    hello(world, client, hand, reply);
    client.spawn('caller', kindOf(client.transport.call(hostTwo, work, nothing)));
    hand.listen(ms(10));
    hand.say(
      client,
      reply('a2400001', '00000204', '00000000 00000000 00000002 00000000 00000000 00000000 00000000'),
    );
    expect(hand.listen(ms(10))).toEqual([]);
  });

  it('answers a close on an idle channel with the same', () => {
    hello(world, client, hand, reply);
    hand.say(
      client,
      reply('a2400001', '00000204', '00000000 00000000 00000002 00000000 00000000 00000000 00000000'),
    );
    expect(hand.listen(ms(10))).toEqual([
      said(`
        0f0e0003 00000214 00000001 00000002 00000000 fa892704 21fa8900 a2400001
        00000000 00000000 00000000 00000002 00000000 00000000 00000000 00000000`),
    ]);
  });
});

describe('the layout', () => {
  it('reads a packet for people', () => {
    const rows = describeLayout(
      spriteRpcHeader,
      hex(`0f0e0003 00000113 00000002 00000001 00000003 fa892200 21fa8901 00000011
        000001f4 00000003 00000004 00000008 00000000 00000448 00000000 00000b38`),
    );
    const texts = Object.fromEntries(rows.map((row) => [row.path, row.text]));
    expect(texts).toMatchObject({
      version: '0x0f0e0003 native',
      flags: '0x00000113 pleaseAck|lastFragment|toServer|request',
      clientId: '2',
      serverId: '1',
      channel: '3',
      command: '8 read',
      fragMask: '0x00000004',
      dataOffset: '2872',
    });
    expect(rows.map((row) => row.offset)).toEqual(Array.from({ length: 16 }, (_, i) => 4 * i));
  });
});

const hostTwo = 2 as never;
const number = (n: number): string => n.toString(16).padStart(8, '0');

/** The first exchange with host 2: its life is known afterwards. */
function hello(
  world: World,
  client: Host,
  hand: Hand,
  reply: (id: string, flags: string, rest: string) => string,
): void {
  client.spawn('hello', client.transport.peers.awaitAlive(hostTwo));
  hand.listen(ms(10));
  hand.say(
    client,
    reply('a2400001', '00000400', '00000000 00000000 00000002 00000000 00000000 00000000 00000000'),
  );
  world.run(world.engine.nowNs + ms(10));
}
