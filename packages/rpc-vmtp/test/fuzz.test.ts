/** Bytes from anybody. BACKPLANE_FULL asks for fifty times as many. */
import { ms, type RandomStream, seconds, type Task, type Thread } from '@backplane/engine';
import { echoes, nothing, payload, work } from '@backplane/rpc-service/testing';
import {
  broadcastAddress,
  type EntityId,
  Frame,
  hostId,
  internetAddress,
  MessageFlag,
  message,
} from '@backplane/slots';
import { faulty, kindOf, pattern, sameBytes } from '@backplane/slots/testing';
import { ETHER_TYPES, encodeIpv4, IP_PROTOCOLS } from '@backplane/wire';
import { describe, expect, it } from 'vitest';
import {
  authProbeEntity,
  createEntity,
  deleteEntity,
  modifyService,
  queryEntity,
  serviceFlags,
  signalEntity,
  vmtpManagerGroup,
} from '../src/index.ts';
import { asks, Desk, echo, question } from './desk.ts';
import { type Host, World } from './world.ts';

/** The only thing here that depends on where it runs: how long a run is wanted. */
declare const process: { readonly env: Readonly<Record<string, string | undefined>> };
const packets = process.env['BACKPLANE_FULL'] === undefined ? 2000 : 100_000;

/** Of a, with a number of b's: asks b's manager for everything that managers do to entities. */
function* manages(a: Host, b: Host, entity: EntityId): Task<void> {
  const asker = asks(a, b.entities.mint());
  const thread = { priority: 1, stack: 4096, stackBytes: 1024, segment: 8192, segmentBytes: 16_384 };
  const threads = Array.from({ length: 60 }, () => thread);
  const modifies = { entity, programCounter: 64, flags: 0, count: 9, threads: [] };
  for (const m of [
    createEntity.request.encode({ place: entity }),
    queryEntity.request.encode({ entity }),
    signalEntity.request.encode({ entity, signal: 3 }),
    modifyService.request.encode(modifies),
    modifyService.request.encode({ ...modifies, flags: serviceFlags.threads, count: 60, threads }),
    authProbeEntity.encode({ coResident: entity, entity, authDomain: 1, random: 77 }),
    deleteEntity.request.encode({ entity }),
  ])
    yield* a.entities.send(asker, vmtpManagerGroup, m);
}

/** Real packets of all sorts, from transactions over a bad link. */
function samples(): Uint8Array[] {
  const world = new World({ seed: 7 });
  const [a, b] = [world.host('a'), world.host('b')];
  world.link.judge = faulty(world.engine.random('faults'), {
    loss: 0.3,
    copies: 0.2,
    late: 0.2,
    lateNs: ms(200),
  });
  b.setUp(echoes);
  const [last, group] = [new Desk(a), a.entities.mintGroup()];
  const desk = new Desk(b, function* (request): Task<void> {
    if (!(yield* request.forward(last.entity, request.message))) yield* echo(request);
  });
  b.entities.join(group, desk.entity);
  world.drive(function* () {
    for (let i = 0; i < 30; i++) yield* kindOf(a.transport.call(b.id, work, payload(i * 30, i * 560)));
    yield* a.transport.ask(work, nothing, { windowNs: ms(50), enough: 1 });
    for (let i = 0; i < 10; i++) {
      yield* a.entities.send(asks(a), desk.entity, question(i * 400));
      yield* a.entities.send(asks(a), group, question(i * 40, MessageFlag.manyResponses));
    }
    yield* a.entities.probe(b.entities.mint());
    yield* manages(a, b, desk.entity);
  });
  return world.link.carried.map(({ frame }) => frame.payload());
}

function damaged(sample: Uint8Array, random: RandomStream): Uint8Array {
  const bytes = sample.slice(0, random.chance(0.1) ? random.below(sample.length + 1) : sample.length);
  const flips = random.below(6);
  // Mostly in the header: that is where it hurts.
  for (let i = 0; i < flips && bytes.length > 0; i++) {
    const at = random.below(random.chance(0.9) ? Math.min(64, bytes.length) : bytes.length);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
  }
  return bytes;
}

/** Calls and sends that go on for ever. */
function* busy(host: Host, to: Host, desk: Desk, random: RandomStream): Task<void> {
  const from = asks(host);
  const group = host.entities.wellKnownGroup(9);
  for (;;) {
    yield* kindOf(
      host.transport.call(to.id, work, payload(random.below(100), random.below(20_000) % 16_385)),
    );
    const timeoutNs = seconds(2);
    yield* host.entities.send(from, desk.entity, question(random.below(5000)), { timeoutNs });
    yield* host.entities.send(from, group, question(random.below(500)), { timeoutNs });
    yield* host.entities.nextResponse(from, ms(10));
  }
}

describe('vmtp, bytes from anybody', () => {
  for (const carrier of ['ethernet', 'internet'] as const)
    it(`never throws, whatever arrives, goes on working, and counts what is malformed, over ${carrier}`, () => {
      const real = samples();
      expect(real.length).toBeGreaterThan(300);
      const world = new World({ seed: 11, rpc: { carrier, workers: 5 } });
      world.link.records = false;
      const random = world.engine.random('fuzz');
      const hosts = [world.host('a'), world.host('b')] as const;
      const stranger = world.probe('stranger', 9);
      const threads: Thread[] = [];
      for (const [i, host] of hosts.entries()) {
        const other = hosts[1 - i] as Host;
        host.setUp(echoes);
        const desk = new Desk(other);
        other.entities.join(other.entities.wellKnownGroup(9), desk.entity);
        threads.push(host.spawn('busy', busy(host, other, desk, random)));
      }
      const frame = (to: Host, bytes: Uint8Array): Frame => {
        if (carrier === 'ethernet')
          return new Frame(to.nic.address, stranger.address, ETHER_TYPES.v, [bytes]);
        const source = internetAddress(hostId(9));
        const parts = {
          source,
          destination: internetAddress(to.id),
          protocol: IP_PROTOCOLS.vmtp,
          identification: 0,
        };
        return new Frame(broadcastAddress, stranger.address, ETHER_TYPES.ipv4, [
          encodeIpv4({ ...parts, payload: bytes }),
        ]);
      };
      for (let i = 0; i < packets; i++) {
        const bytes = random.chance(0.1)
          ? Uint8Array.from({ length: random.below(200) }, () => random.below(256))
          : damaged(random.pick(real), random);
        const to = random.pick(hosts);
        to.nic.arrive(frame(to, bytes));
        if (i % 20 === 0) world.after(ms(30));
      }
      world.after(seconds(20));
      expect(threads.every((thread) => !thread.ended)).toBe(true);
      for (const host of hosts) {
        expect(host.metric('rpc.malformed')).toBeGreaterThan(packets / 20);
        expect(host.metric('vmtp.remembered')).toBeLessThanOrEqual(4096);
      }
      // What was said in the names of these two may have made them wary of each other, but not of a third.
      const third = world.host('c');
      for (const host of hosts) {
        const reply = world.drive(() => third.transport.call(host.id, work, payload(10, 9000)));
        expect(sameBytes(reply.data, payload(10, 9000).data)).toBe(true);
      }
    });

  it('takes any message that a service may be made to answer, and answers what can travel', () => {
    const world = new World();
    const [a, b] = [world.host('a'), world.host('b')];
    const answers = [
      { control: new Uint8Array(5), segment: new Uint8Array(0) },
      { control: new Uint8Array(32), segment: pattern(10, 1) },
      message({ code: 0, segment: pattern(16_385, 1) }),
      message({ code: 0, segment: pattern(40_000, 1) }),
    ];
    const desk = new Desk(b, function* (request) {
      yield* request.respond(answers.shift() ?? message({ code: 0 }));
    });
    const codes = [0, 1, 2, 3, 4].map(() => {
      const { message: m } = world.drive(() => a.entities.send(asks(a), desk.entity, question(0)));
      return m.control[3];
    });
    expect(codes).toEqual([17, 17, 17, 17, 0]);
  });
});
