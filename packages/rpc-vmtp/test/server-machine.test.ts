/** The server's state machine against a client of which every packet is written here. */
import { ms, seconds } from '@backplane/engine';
import {
  type ArrivedRequest,
  type Delivery,
  type EntityId,
  Frame,
  type Message,
  MessageFlag,
  message,
} from '@backplane/slots';
import { pattern } from '@backplane/slots/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  encodeHeading,
  groupFlags,
  type Heading,
  notifyVmtpServer,
  packetParts,
  responseCodes,
  vmtpHeader,
} from '../src/index.ts';
import { Desk, question } from './desk.ts';
import { Script } from './script.ts';
import { type Host, World } from './world.ts';

let world: World;
let host: Host;
let client: Script;
let desk: Desk;
/** What the desk answers, and after how long. */
let answer: Message;

beforeEach(() => {
  world = new World();
  host = world.host('a');
  client = new Script(world, 2);
  answer = message({ code: 0 });
  desk = new Desk(host, function* (request) {
    yield* request.respond(answer);
  });
});

const request = (m: Message, more: Partial<Heading> = {}, masks?: readonly number[]): void => {
  const heading = { client: client.entity, server: desk.entity, response: false, transaction: 7, ...more };
  client.say(host.nic.address, heading, m, masks);
};
const asking = { flags: groupFlags.acknowledge, retransmitCount: 1 };

const notify = (code: number, delivery = 0, transaction = 7): void => {
  const notice = { server: desk.entity, client: client.entity, transaction, delivery, code };
  client.notify(host.nic.address, notifyVmtpServer.encode(notice));
};

describe('a server', () => {
  it('answers each transaction once, drops older ones, and sends the response again to who asks', () => {
    request(question(0));
    expect(client.said).toEqual(['response ok']);
    request(question(0)); // the network's doing
    expect(client.said).toEqual([]);
    request(question(0), asking);
    expect(client.said).toEqual(['response ok again 1']);
    request(question(0), { transaction: 8 });
    request(question(0), { transaction: 7, ...asking });
    request(question(0), { transaction: (7 - 0x7fff_ffff) >>> 0, ...asking });
    expect(client.said).toEqual(['response ok']);
    request(question(0), { transaction: (8 + 0x7fff_ffff) >>> 0 });
    expect(client.said).toEqual(['response ok']);
    expect(desk.arrivals.length).toBe(3);
  });

  it('puts a request together from packets in any order, and asks for what is missing', () => {
    request(question(3000), {}, [0x30, 0x3]);
    world.after(ms(40));
    expect(client.said).toEqual(['client retry [33]']);
    request(question(3000), {}, [0xc]);
    expect(client.said).toEqual(['response ok']);
    expect(desk.arrivals[0]?.message.segment).toEqual(question(3000).segment);
  });

  it('asks five times, then drops the parts; a new transaction drops them at once', () => {
    request(question(3000), {}, [0x30, 0x3]);
    world.after(seconds(20));
    expect(client.said).toEqual(Array.from({ length: 5 }, () => 'client retry [33]'));
    request(question(3000), {}, [0xc]);
    world.after(seconds(20));
    expect(client.said).toEqual(Array.from({ length: 5 }, () => 'client retry [c]'));
    request(question(3000), { transaction: 8 }, [0x30]);
    request(question(0), { transaction: 9 });
    world.after(seconds(20));
    expect(client.said).toEqual(['response ok']);
    expect(desk.arrivals.length).toBe(1);
  });

  it('asks at once for data of which it has none, when only the message comes again', () => {
    request(question(3000), asking, [0]);
    expect(client.said).toEqual(['client retry']);
    request(question(3000));
    expect(client.said).toEqual(['response ok']);
  });

  it('acknowledges a request if that is wanted and the response takes time', () => {
    const slow = new Desk(host, function* () {});
    request(question(3000), { server: slow.entity, ...asking });
    expect(client.said).toEqual(['client ok [3f]']);
    request(question(3000), { server: slow.entity, ...asking }, [0]);
    expect(client.said).toEqual(['client ok [3f]']);
  });

  it('delivers what came of a partial request that is not worth asking for, and drops any other', () => {
    const flags = MessageFlag.datagram;
    request(question(3000, flags), {}, [0x3]);
    const partial = message({
      ...{ code: 1, flags: flags | MessageFlag.partial, words: [0, 0, 0, 0, 0, 0x3f] },
      segment: pattern(3000, 1),
    });
    world.after(seconds(1));
    request(partial, { transaction: 8 }, [0x3, 0x30]);
    world.after(seconds(1));
    expect(client.said).toEqual([]);
    expect(desk.arrivals.length).toBe(1);
    expect(desk.arrivals[0]?.message.control[27]).toBe(0x33);
    const unwanted = { flags: groupFlags.noRetransmission, transaction: 9 };
    request(question(3000), unwanted, [0x3, 0x30]);
    world.after(seconds(1));
    expect([client.said, desk.arrivals.length]).toEqual([[], 1]);
  });

  it('asks whether a response with data has arrived, until it knows, or has asked five times', () => {
    answer = message({ code: 0, segment: pattern(3000, 4) });
    request(question(0));
    world.after(ms(10));
    expect(client.said).toEqual(['response ok [3]', 'response ok [c]', 'response ok [30]']);
    world.after(ms(350));
    expect(client.said).toEqual(['response ok APG again 1']);
    notify(responseCodes.retry, 0x33);
    expect(client.said).toEqual(['response ok [c] APG again 2']);
    notify(responseCodes.ok, 0x3f);
    world.after(seconds(30));
    expect(client.said).toEqual([]);
    request(question(0), asking);
    expect(client.said).toEqual(['client responseDiscarded']);
    request(question(0), { transaction: 8 });
    world.after(ms(10));
    client.forget();
    world.after(seconds(30));
    expect(client.said.length).toBe(5);
    request(question(0), { transaction: 8, ...asking });
    expect(client.said).toEqual(['client responseDiscarded']);
  });

  it('that has moved knows there which clients have their responses', () => {
    const own = new World();
    const [left, come] = [own.host('left'), own.host('come')];
    const asker = new Script(own, 3);
    const server = new Desk(left, function* (r) {
      yield* r.respond(message({ code: 0, segment: pattern(600, 4) }));
    }).entity;
    const name = { client: asker.entity, server, response: false };
    const ask = (to: Host, transaction: number, more: Partial<Heading> = {}): void =>
      asker.say(to.nic.address, { ...name, transaction, ...more }, question(0));
    ask(left, 7);
    const notice = { server, client: asker.entity, transaction: 7, delivery: 3, code: responseCodes.ok };
    asker.notify(left.nic.address, notifyVmtpServer.encode(notice));
    expect(asker.said).toEqual(['response ok [3]']);
    const there: ArrivedRequest[] = [];
    const taken = left.entities.moves?.take(server);
    expect(taken?.requests).toEqual([]);
    const arrived = (r: ArrivedRequest): Delivery => {
      there.push(r);
      return 'taken';
    };
    come.entities.moves?.attach(server, { arrived }, taken?.state ?? new Uint8Array(0));
    ask(come, 7, asking);
    expect(asker.said).toEqual(['client responseDiscarded']);
    ask(come, 6, asking);
    expect([asker.said, there.length]).toEqual([[], 0]);
    ask(come, 8);
    expect(there.length).toBe(1);
  });

  it('has more patience when packets come far apart, and less when they no longer do', () => {
    const slow = new Desk(host, function* () {});
    const eachApart = (apart: number, transaction: number): number => {
      for (const mask of [0x3, 0xc, 0x30]) {
        request(question(3000), { server: slow.entity, transaction }, [mask]);
        world.after(apart);
      }
      return client.said.length;
    };
    let transaction = 10;
    expect(eachApart(ms(100), transaction++)).toBeGreaterThan(1);
    for (let i = 0; i < 10; i++) eachApart(ms(100), transaction++);
    expect(eachApart(ms(100), transaction++)).toBe(0);
    for (let i = 0; i < 20; i++) eachApart(ms(1), transaction++);
    expect(eachApart(ms(100), transaction++)).toBeGreaterThan(1);
    expect(slow.arrivals.length).toBe(transaction - 10);
  });

  it('executes again what may be, and keeps no response of it', () => {
    answer = message({ code: 0, flags: MessageFlag.datagram, segment: pattern(3000, 4) });
    request(question(0));
    world.after(seconds(30));
    expect(client.said.length).toBe(3);
    request(question(0), asking);
    world.after(ms(10));
    expect(client.said[0]).toBe('client ok');
    expect(client.heard.length + desk.arrivals.length).toBe(2);
  });

  it('forgets each client when it has been silent for a minute, or a quarter of it later', () => {
    const other = `${client.entity.slice(0, 7)}e${client.entity.slice(8)}` as EntityId;
    const remembered = (): number => host.metric('vmtp.remembered');
    request(question(0));
    world.after(seconds(3));
    request(question(0), { client: other });
    world.after(seconds(56));
    expect(remembered()).toBe(2);
    world.after(seconds(1) + 1);
    expect(remembered()).toBe(1);
    world.after(seconds(2));
    expect(remembered()).toBe(1);
    world.after(seconds(13));
    expect(remembered()).toBe(0);
    request(question(0));
    world.after(seconds(60) + 1);
    expect(remembered()).toBe(0);
  });

  it('says who is not here, unless others may say otherwise', () => {
    const nobody = `${desk.entity.slice(0, 7)}f${desk.entity.slice(8)}` as EntityId;
    request(question(0), { server: nobody });
    expect(client.said).toEqual(['client nonexistentEntity']);
    request(question(0), { server: nobody, multicast: true });
    request(question(0, MessageFlag.datagram), { server: nobody });
    const group = host.entities.mintGroup();
    request(question(0), { server: group, multicast: true });
    expect(client.said).toEqual([]);
  });

  it('without streams refuses them, and with them messages of several groups for who takes none', () => {
    const { notStartOfRun, notEndOfRun, continued } = groupFlags;
    const plain = world.host('plain', { streaming: false });
    const other = new Desk(plain);
    for (const flags of [notEndOfRun, notStartOfRun | notEndOfRun, notEndOfRun | continued, notStartOfRun]) {
      const heading = { client: client.entity, response: false, transaction: 7, flags };
      client.say(plain.nic.address, { ...heading, server: other.entity }, question(0));
      expect(client.said).toEqual(['client streamingNotSupported']);
      client.say(plain.nic.address, { ...heading, server: other.entity, multicast: true }, question(0));
      expect(client.said).toEqual([]);
    }
    request(question(100), { flags: notEndOfRun | continued });
    expect(client.said).toEqual(['client streamingNotSupported']);
    expect(other.arrivals.length + desk.arrivals.length).toBe(0);
  });

  it('refuses what is encrypted', () => {
    const head = encodeHeading({
      client: client.entity,
      server: desk.entity,
      response: false,
      transaction: 7,
    });
    vmtpHeader.set.encrypted(head, 0, 1);
    const bytes = new Frame(0, 0, 0, packetParts(head, question(0), 0)).payload();
    client.bytes(host.nic.address, bytes);
    world.after(ms(3));
    expect(client.said).toEqual(['client securityNotSupported']);
    expect(desk.arrivals.length).toBe(0);
  });

  it('takes a forwarded request once for each forward count, and tells who forwarded it what it has', () => {
    const slow = new Desk(host, function* () {});
    const forwarded = { server: slow.entity, forwardCount: 3 };
    request(question(0), forwarded);
    request(question(0), { ...forwarded, ...asking });
    request(question(0), { ...forwarded, ...asking, forwardCount: 2 });
    request(question(0), { ...forwarded, forwardCount: 4 });
    expect(slow.arrivals.length).toBe(2);
    expect(client.heard.map((p) => p.code)).toEqual([0x111]);
  });

  it('counts what it is told by itself as malformed', () => {
    const before = host.metric('rpc.malformed');
    request(question(0), { client: new Desk(host).entity, server: desk.entity });
    // An entity that never asked has no record as a client, and may have moved here a moment ago.
    expect(host.metric('rpc.malformed')).toBe(before);
  });
});
