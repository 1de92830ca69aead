/** The client's state machine against a server of which every packet is written here. */
import { ms, seconds, type Thread } from '@backplane/engine';
import {
  codeOf,
  type EntityId,
  type Message,
  MessageFlag,
  message,
  ReplyCode,
  type Response,
} from '@backplane/slots';
import { pattern } from '@backplane/slots/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  controlWord,
  functions,
  groupFlags,
  type Heading,
  notifyVmtpClient,
  responseCodes,
} from '../src/index.ts';
import { asks, question } from './desk.ts';
import { Script } from './script.ts';
import { type Host, World } from './world.ts';

let world: World;
let host: Host;
let server: Script;
let client: EntityId;

beforeEach(() => {
  world = new World();
  host = world.host('a');
  server = new Script(world, 2);
  client = asks(host);
});

const send = (m: Message, timeoutNs = seconds(1000)): Thread<Response> =>
  host.spawn('asks', host.entities.send(client, server.entity, m, { timeoutNs }));

const transaction = (): number => server.heard.findLast((p) => p.client === client)?.transaction ?? 0;

const respond = (m: Message, more: Partial<Heading> = {}, masks?: readonly number[]): void => {
  const heading = { client, server: server.entity, response: true, transaction: transaction(), ...more };
  server.say(host.nic.address, heading, m, masks);
};

const notify = (code: number, delivery = 0, retransmitCount = 0): void => {
  const control = controlWord({ retransmitCount, functionCode: functions.response });
  const notice = { client, control, receiveSequence: 0, transaction: transaction(), delivery, code };
  server.notify(host.nic.address, notifyVmtpClient.encode(notice));
};

const outcome = (thread: Thread<Response>): Message => world.drive(() => thread.join()).message;
const ok = message({ code: ReplyCode.ok });
/** Six blocks, in three packets. */
const large = message({ code: 0, segment: pattern(3000, 9) });

describe('a client', () => {
  it('asks again after TC1 and then TC2, five times, then asks all managers', () => {
    const thread = send(question(0));
    world.after(ms(299));
    expect(server.said).toEqual(['request']);
    const heardAt: number[] = [];
    for (let i = 0; i < 400 && !thread.ended; i++) {
      world.after(ms(10));
      for (const p of server.heard.splice(0)) if (p.server === server.entity) heardAt.push(p.retransmitCount);
    }
    expect(heardAt).toEqual([1, 2, 3, 4, 5]);
    expect(codeOf(outcome(thread))).toBe(ReplyCode.retransmissionTimeout);
    expect(server.said.filter((s) => s.startsWith('request'))).toEqual([]);
  });

  it('is kept waiting by each notice that the server has the request, at growing intervals', () => {
    const thread = send(question(0));
    world.after(ms(1));
    const number = transaction();
    server.forget();
    const control = controlWord({ retransmitCount: 1, functionCode: functions.response });
    let asked = 0;
    for (let i = 0; i < 600; i++) {
      world.after(ms(100));
      if (server.said.length === 0) continue;
      asked++;
      const notice = { client, control, receiveSequence: 0, transaction: number, delivery: 0 };
      server.notify(host.nic.address, notifyVmtpClient.encode({ ...notice, code: responseCodes.ok }));
    }
    expect(thread.ended).toBe(false);
    expect(asked).toBeGreaterThan(25);
    expect(asked).toBeLessThan(40); // every two seconds in the end
  });

  it('sends what the server lacks, and its message alone when it hears nothing', () => {
    const thread = send(question(3000));
    world.after(ms(20));
    expect(server.said).toEqual(['request [3]', 'request [c]', 'request [30]']);
    world.after(ms(300));
    expect(server.heard.map((p) => p.delivery)).toEqual([0]);
    notify(responseCodes.retry, 0b110011);
    expect(server.said).toEqual(['request APG again 1', 'request [c] APG again 2']);
    world.after(ms(310));
    notify(responseCodes.retryAll, 0);
    world.after(ms(10));
    expect(server.said.length).toBe(1 + 3);
    world.after(ms(310));
    notify(responseCodes.busy);
    expect(server.said.length).toBe(1);
    world.after(ms(310));
    const again = server.heard.map((p) => p.delivery);
    expect(again).toEqual([0x3, 0xc, 0x30]); // after busy, all of it
    respond(ok);
    expect(codeOf(outcome(thread))).toBe(ReplyCode.ok);
  });

  it('ends with what a notice says, and looks for the server when it has moved', () => {
    for (const code of [
      ReplyCode.noPermission,
      ReplyCode.notAwaitingMessage,
      responseCodes.securityRequired,
    ]) {
      const thread = send(question(0));
      world.after(ms(5));
      notify(code);
      expect(thread.ended).toBe(true);
      expect(codeOf(outcome(thread))).toBe(code);
      expect(server.said.length).toBe(1);
    }
    const thread = send(question(0));
    world.after(ms(5));
    notify(ReplyCode.entityMigrated);
    expect(server.said).toEqual(['request', 'manager']);
    world.after(seconds(9));
    expect(thread.ended).toBe(false); // it may be on its way
    world.after(seconds(11));
    expect(codeOf(outcome(thread))).toBe(ReplyCode.nonexistentEntity);
  });

  it('puts a response together from packets in any order, acknowledges what is to be acknowledged', () => {
    for (const masks of [
      [0x3, 0xc, 0x30],
      [0x30, 0x3, 0x3, 0xc],
      [0xc, 0x30, 0x3],
    ]) {
      const thread = send(question(0));
      world.after(ms(5));
      respond(large, { flags: groupFlags.acknowledge }, masks);
      world.after(ms(5));
      expect(thread.ended).toBe(true);
      expect(outcome(thread).segment).toEqual(large.segment);
      expect(server.said).toEqual(['request', 'server ok [3f]']);
    }
  });

  it('asks for what is missing of a response, five times, then for another place of the server, and gives up', () => {
    const thread = send(question(0));
    world.after(ms(5));
    respond(large, {}, [0x3, 0x30]);
    expect(server.said).toEqual(['request']);
    world.after(ms(40));
    expect(server.said).toEqual(['server retry [33]']);
    world.after(seconds(10));
    expect(server.said).toEqual([
      ...Array.from({ length: 4 }, () => 'server retry [33]'),
      'manager',
      ...[1, 2, 3].map((again) => `manager APG again ${again}`),
    ]);
    const reply = outcome(thread);
    expect([codeOf(reply), reply.segment.length]).toEqual([ReplyCode.badReplySegment, 1024]);
  });

  it('says at once what it lacks when the server asks, and that it has all of it when it has', () => {
    const thread = send(question(0));
    world.after(ms(5));
    const apg = { flags: groupFlags.acknowledge, retransmitCount: 1, transaction: transaction() };
    server.forget();
    respond(large, apg, [0]);
    expect(server.said).toEqual(['server retry']);
    respond(large, apg, [0x3]);
    respond(large, apg, [0]);
    expect(server.said).toEqual(['server retry [3]']);
    respond(large, apg, [0xc, 0x30]);
    expect(server.said).toEqual(['server ok [3f]']);
    respond(large, apg, [0]);
    expect(server.said).toEqual(['server responseDiscarded']);
    respond(ok, { ...apg, transaction: apg.transaction - 1 });
    expect(server.said).toEqual(['server badTransactionId']);
    respond(ok, { ...apg, client: `${client.slice(0, 7)}f${client.slice(8)}` as EntityId });
    expect(server.said).toEqual(['server nonexistentEntity']);
    expect(outcome(thread).segment).toEqual(large.segment);
  });

  it('takes a response that may be made again as it is if it is partial, and asks again if not', () => {
    const partial = message({
      ...{ code: 0, flags: MessageFlag.datagram | MessageFlag.partial, words: [0, 0, 0, 0, 0, 0x3f] },
      segment: pattern(3000, 9),
    });
    const first = send(question(0));
    world.after(ms(5));
    respond(partial, {}, [0x3, 0x30]);
    world.after(ms(40));
    expect(first.ended).toBe(true);
    const idempotent = message({ code: 0, flags: MessageFlag.datagram, segment: pattern(3000, 9) });
    const second = send(question(0));
    world.after(ms(5));
    const number = transaction();
    server.forget();
    respond(idempotent, { transaction: number }, [0x3, 0x30]);
    world.after(ms(40));
    expect(server.said).toEqual(['request APG again 1']);
    respond(idempotent, { transaction: number });
    world.after(ms(10));
    expect(outcome(second).segment).toEqual(idempotent.segment);
  });

  it('refuses streams, and responses of another run than it asked for', () => {
    const thread = send(question(0));
    world.after(ms(5));
    const number = transaction();
    server.forget();
    const { notStartOfRun, notEndOfRun, continued } = groupFlags;
    for (const flags of [notEndOfRun, notStartOfRun | notEndOfRun, notEndOfRun | continued]) {
      respond(large, { transaction: number, flags });
      expect(new Set(server.said)).toEqual(new Set(['server streamingNotSupported']));
    }
    respond(ok, { transaction: number });
    expect(codeOf(outcome(thread))).toBe(ReplyCode.ok);
  });

  it('measures the round trip by notices that name the transmission', () => {
    const silentFor = (): number => {
      const thread = send(question(0), seconds(3));
      let first = 0;
      world.after(ms(1));
      server.forget();
      for (let i = 1; first === 0; i++) {
        world.after(ms(1));
        if (server.heard.length > 0) first = i;
      }
      world.drive(() => thread.join());
      server.forget();
      return first;
    };
    const before = silentFor();
    for (let i = 0; i < 12; i++) {
      const thread = send(question(0));
      world.after(ms(1));
      while (server.heard.length < 2) world.after(ms(5));
      world.after(ms(90)); // a slow network
      notify(responseCodes.ok, 0, server.heard.at(-1)?.retransmitCount ?? 0);
      respond(ok);
      world.drive(() => thread.join());
      server.forget();
    }
    expect(silentFor()).toBeGreaterThan(before + 30);
  });
});
