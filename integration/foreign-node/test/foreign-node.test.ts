import { Cluster, type ClusterMachine } from '@backplane/chassis';
import { Channel, ms, seconds, sleep, type Task, Timer } from '@backplane/engine';
import { duplicationRule, ethernet, lossRule, onewayRule, reorderRule } from '@backplane/hw-ethernet';
import { sun3x75 } from '@backplane/hw-machines';
import { vmtp } from '@backplane/rpc-vmtp';
import {
  codeOf,
  type EntityId,
  entityId,
  type IpcProcess,
  type Kernel,
  type Message,
  MessageFlag,
  message,
  ReplyCode,
  type Response,
  wordOf,
} from '@backplane/slots';
import { pattern, sameBytes } from '@backplane/slots/testing';
import { vWorkstation } from '@backplane/v';
import { describe, expect, it } from 'vitest';
import { type Answer, ForeignNode } from './node.ts';
import { decode, encode, type Header, packets, viewOf } from './packet.ts';

// ---- a cluster of two V machines, and the node on their wire ----

/** BE-25593-36.8.0.49: no host of the cluster has that address, so nobody can guess where it is. */
const foreign = 0x0000_63f9_2408_0031n;
const idOf = (entity: bigint): EntityId => entityId(entity.toString(16).padStart(16, '0'));
const numberOf = (id: EntityId): bigint => BigInt(`0x${id}`);

/** Codes that belong to services. */
const work = 0x42;
const echoed = ReplyCode.user + 1;

const words = (m: Message): number[] => [1, 2, 3, 4, 5, 6].map((i) => wordOf(m, i));
const echo = (m: Message, flags = 0): Message =>
  message({ code: echoed, flags, words: words(m), segment: m.segment });

const programs = ['servers', 'fileCache', 'objects', 'streams', 'vm', 'naming', 'systemCalls'] as const;
const kernel = (checksum: boolean): Kernel =>
  programs.reduce((k, slot) => k.without(slot), vWorkstation()).with({ transport: vmtp({ checksum }) });

/** NotifyVmtpClient and NotifyVmtpServer. */
const notified: Readonly<Record<number, string>> = { 1157628175: 'client', 1157628176: 'server' };

class World {
  readonly cluster: Cluster;
  readonly node: ForeignNode;
  /** Requests that the node has served. */
  served = 0;

  /** @param flags of the node's responses; with an even seed, the machines compute checksums */
  constructor(seed = 1, flags = 0) {
    const machines = ['one', 'two'].map((name) => ({
      ...{ name, type: sun3x75, role: 'workstation', kernel: kernel(seed % 2 === 0) },
    }));
    this.cluster = new Cluster({ medium: ethernet(), machines }, { seed });
    const { engine, medium } = this.cluster;
    const serve = (m: Message): Message => {
      this.served++;
      return echo(m, flags);
    };
    this.node = new ForeignNode(medium, engine.root.child('foreign'), 0x0800_2b00_0063, foreign, serve);
  }

  /** Boots the machines, and runs a driver to its end. */
  drive<T>(body: (one: ClusterMachine, two: ClusterMachine) => Task<T>): T {
    const { cluster } = this;
    const whole = function* (): Task<T> {
      yield* cluster.bootAll();
      return yield* body(cluster.machine('one'), cluster.machine('two'));
    };
    return cluster.drive('check', whole());
  }

  /** Each frame may be lost, come twice, or be overtaken. */
  disturb(): void {
    const { engine, medium } = this.cluster;
    const probability = 0.1;
    medium.addRule(lossRule(engine, engine.random('loss'), { probability }));
    medium.addRule(duplicationRule(engine, engine.random('duplication'), { probability }));
    medium.addRule(reorderRule(engine, engine.random('reordering'), { probability, delayNsMax: ms(5) }));
  }

  /** The notices that are sent from now on: by whom, to which side, and what they say. */
  notices(): Set<string> {
    const seen = new Set<string>();
    this.cluster.medium.tap((frame, _startNs, from) => {
      const p = decode(frame.payload());
      const side = p && notified[viewOf(p.control).getUint32(0)];
      if (p && side) seen.add(`${from} to a ${side}: ${viewOf(p.control).getUint32(28)}`);
    });
    return seen;
  }

  /** What the node gets for a message; of a group, one for each time that this is asked. */
  send(to: EntityId, m: Message): Channel<Answer> {
    const answers = new Channel<Answer>();
    this.node.send(numberOf(to), m, (answer) => answers.send(answer));
    return answers;
  }
}

const processOn = (machine: ClusterMachine, name: string): IpcProcess =>
  machine.board('ipc').create({ name, scope: machine.scope.child(name), space: null });

/** A process that answers all requests as the node does, but so that they may not be made again. */
function server(machine: ClusterMachine, name = 'server'): IpcProcess {
  const process = processOn(machine, name);
  const serve = function* (): Task<void> {
    for (;;) {
      const request = yield* process.receive();
      yield* process.reply(request, echo(request.message));
    }
  };
  machine.scope.spawn(name, serve());
  return process;
}

const on = <T>(machine: ClusterMachine, body: Task<T>): Task<T> => machine.scope.spawn('client', body).join();

const sizes = [0, 700, 1500, 16_384];
const asked = (bytes: number, flags = 0): Message =>
  message({ code: work, flags, words: [bytes, 2, 3, 4, 5, 6], segment: pattern(bytes, bytes % 251) });

/** The response of an echo to a message, from where it should come. */
function expectEcho({ from, message: m }: Response, of: Message, by: EntityId): void {
  expect(from).toBe(by);
  expect(codeOf(m)).toBe(echoed);
  expect(words(m)).toEqual(words(of));
  expect(m.segment.length).toBe(of.segment.length);
  expect(sameBytes(m.segment, of.segment)).toBe(true);
}
const asResponse = ({ from, message: m }: Answer): Response => ({ from: idOf(from), message: m });

// ---- packets ----

const bytesOf = (digits: string): Uint8Array =>
  Uint8Array.from(digits.replaceAll(/\s/g, '').match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
const digitsOf = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

const asker: Header = { client: foreign, server: 0x7_2408_0032n, multicast: false, about: 0, transaction: 1 };
const managers = 0x4000_0001_e000_0100n;
const zeros = (words: number): string => '00000000'.repeat(words);

interface Golden {
  readonly what: string;
  readonly digits: string;
  readonly header: Header;
  readonly message: { readonly control: string; readonly segment: Uint8Array };
  /** Which of the packets of the message this is. */
  readonly nth?: number;
}

/** Packets that were written by hand for the tests of `@backplane/rpc-vmtp`: digits alone, no code of that package. */
const golden: readonly Golden[] = [
  {
    what: 'a bare request',
    digits: `000063f9 24080031 00010000 00000000 00000001 00000000 00000007 24080032
      00000042 ${zeros(7)} ac750042`,
    header: asker,
    message: { control: `00000042 ${zeros(7)}`, segment: new Uint8Array(0) },
  },
  {
    what: 'a request with five bytes',
    digits: `000063f9 24080031 00010002 00000000 00000002 00000001 00000007 24080032
      10000042 ${zeros(6)} 00000005 68656c6c 6f000000 f04b1047`,
    header: { ...asker, transaction: 2 },
    message: { control: `10000042 ${zeros(6)} 00000005`, segment: bytesOf('68656c6c6f') },
  },
  {
    what: 'the first packet of two',
    digits: `000063f9 24080031 00010100 00000c00 00000003 00000003 00000007 24080032
      10000043 ${zeros(6)} 00000600 ${'a1'.repeat(512)} ${'b2'.repeat(512)} e3a4406d`,
    header: { ...asker, about: 0xc00, transaction: 3 },
    message: {
      control: `10000043 ${zeros(6)} 00000600`,
      segment: bytesOf(['a1', 'b2', 'c3'].map((byte) => byte.repeat(512)).join('')),
    },
  },
  {
    what: 'the second packet of two',
    digits: `000063f9 24080031 00010080 00000c00 00000003 00000004 00000007 24080032
      10000043 ${zeros(6)} 00000600 ${'c3'.repeat(512)} 9addf824`,
    header: { ...asker, about: 0xc00, transaction: 3 },
    message: {
      control: `10000043 ${zeros(6)} 00000600`,
      segment: bytesOf(['a1', 'b2', 'c3'].map((byte) => byte.repeat(512)).join('')),
    },
    nth: 1,
  },
  {
    what: 'a response without one of its blocks',
    digits: `000063f9 24080031 000100c6 00000001 00000004 00000005 00000007 24080032
      70000000 ${zeros(5)} 00000005 00000514 ${'e5'.repeat(512)} ${'f6'.repeat(276)} 00000000 039b25ca`,
    header: { ...asker, about: 1, transaction: 4 },
    message: {
      control: `70000000 ${zeros(5)} 00000005 00000514`,
      segment: bytesOf('e5'.repeat(512) + '00'.repeat(512) + 'f6'.repeat(276)),
    },
  },
  {
    what: 'a question to all managers',
    digits: `00000001 e0000100 00012000 ${zeros(3)} 40000001 e0000100
      05000101 00000007 24080032 00000007 24080032 ${zeros(3)} 22054e83`,
    header: { client: 0x1_e000_0100n, server: managers, multicast: true, about: 0, transaction: 0 },
    message: {
      control: `05000101 00000007 24080032 00000007 24080032 ${zeros(3)}`,
      segment: new Uint8Array(0),
    },
  },
];

describe('packets that were written by hand', () => {
  it.each(golden)('come out of the node: $what', ({ digits, header, message: m, nth = 0 }) => {
    const made = packets(header, { control: bytesOf(m.control), segment: m.segment }, -1)[nth];
    expect(made && digitsOf(made)).toBe(digitsOf(bytesOf(digits)));
  });

  it.each(golden)('are understood by it: $what', ({ digits, header, message: m }) => {
    const p = decode(bytesOf(digits));
    expect(p).toMatchObject(header);
    expect(p && digitsOf(p.control)).toBe(digitsOf(bytesOf(m.control)));
    expect(p && encode(p)).toEqual(bytesOf(digits));
  });

  it.each(golden)('are not taken with any byte changed or missing: $what', ({ digits }) => {
    const bytes = bytesOf(digits);
    for (let i = 0; i < bytes.length - 4; i++)
      expect(decode(bytes.map((byte, at) => (at === i ? byte ^ 0x10 : byte))), `byte ${i}`).toBeUndefined();
    for (let length = 0; length < bytes.length; length++)
      expect(decode(bytes.subarray(0, length)), `${length} bytes`).toBeUndefined();
  });
});

// ---- transactions ----

describe('a node that shares no code with ours', () => {
  it.each(sizes)('serves a process of V, with %i bytes both ways', (bytes) => {
    const w = new World();
    const sent = asked(bytes);
    const response = w.drive(function* (one) {
      return yield* on(one, processOn(one, 'client').send(idOf(foreign), sent));
    });
    expectEcho(response, sent, idOf(foreign));
    expect(w.served).toBe(1);
  });

  it.each(sizes)('serves it with responses that may be made again, %i bytes', (bytes) => {
    const w = new World(1, MessageFlag.datagram);
    const sent = asked(bytes);
    const response = w.drive(function* (one) {
      return yield* on(one, processOn(one, 'client').send(idOf(foreign), sent));
    });
    expect(response.message.control[0]).toBe(MessageFlag.datagram | (bytes > 0 ? MessageFlag.segment : 0));
    expectEcho(response, sent, idOf(foreign));
  });

  it.each(sizes)('is served by a process of V, with %i bytes both ways', (bytes) => {
    const w = new World();
    const sent = asked(bytes);
    w.drive(function* (_one, two) {
      const { id } = server(two);
      expectEcho(asResponse(yield* w.send(id, sent).receive()), sent, id);
    });
  });

  it('learns from the managers where a process is, and is found by them itself', () => {
    const w = new World();
    w.drive(function* (one, two) {
      const found = new Channel<number | undefined>();
      const { id } = server(two);
      w.node.locate(numberOf(id), (station) => found.send(station));
      expect(yield* found.receive()).toBe(two.board('nic', 'nic').address);
      w.node.locate(numberOf(one.board('ipc').mintGroup()) & ~(1n << 62n), (station) => found.send(station));
      expect(yield* found.receive()).toBeUndefined();
      expect(yield* on(one, one.board('ipc').probe(idOf(foreign)))).toBe('here');
    });
  });

  it('answers a request that another server has passed on to it, and keeps its client waiting no longer', () => {
    const w = new World();
    const sent = asked(1500);
    const response = w.drive(function* (one, two) {
      const between = processOn(two, 'between');
      two.scope.spawn(
        'between',
        (function* (): Task<void> {
          const request = yield* between.receive();
          expect(yield* between.forward(request, idOf(foreign), request.message)).toBe(ReplyCode.ok);
        })(),
      );
      return yield* on(one, processOn(one, 'client').send(between.id, sent));
    });
    expectEcho(response, sent, idOf(foreign));
  });

  it('says that it has a response which had to be sent again, and was not executed again', () => {
    const w = new World();
    const { engine, medium } = w.cluster;
    let executed = 0;
    w.drive(function* (_one, two) {
      const process = processOn(two, 'server');
      process.serve(function* ({ message: m }) {
        executed++;
        return echo(m);
      });
      yield* w.send(process.id, asked(0)).receive();
      medium.addRule(onewayRule(engine, ['two'], ['foreign'], { untilNs: engine.nowNs + ms(200) }));
      const notices = w.notices();
      expectEcho(asResponse(yield* w.send(process.id, asked(700)).receive()), asked(700), process.id);
      yield* sleep(ms(100));
      expect(notices).toContain(`foreign to a server: ${ReplyCode.ok}`);
    });
    expect(executed).toBe(2);
  });

  it('sends a datagram and receives one, without an answer', () => {
    const w = new World();
    w.drive(function* (one, two) {
      const receiver = processOn(two, 'receiver');
      const datagram = asked(700, MessageFlag.datagram);
      const own = yield* w.send(receiver.id, datagram).receive();
      expect([codeOf(own.message), own.station]).toEqual([ReplyCode.ok, undefined]);
      const request = yield* on(two, receiver.receive());
      expect(words(request.message)).toEqual(words(datagram));
      expect(sameBytes(request.message.segment, datagram.segment)).toBe(true);

      yield* on(one, processOn(one, 'client').send(idOf(foreign), datagram));
      yield* sleep(seconds(5));
      expect(w.served).toBe(1);
    });
  });

  it('waits for a slow server as long as that works', () => {
    const w = new World();
    w.drive(function* (_one, two) {
      const slow = processOn(two, 'slow');
      slow.serve(function* ({ message: m }) {
        yield* sleep(seconds(30));
        return echo(m);
      });
      expectEcho(asResponse(yield* w.send(slow.id, asked(1500)).receive()), asked(1500), slow.id);
    });
    expect(w.cluster.engine.nowNs).toBeGreaterThan(seconds(30));
  });
});

describe('a wire that loses, doubles and reorders a tenth of the frames each', () => {
  const seeds = Array.from({ length: 10 }, (_, i) => i + 1);

  it.each(seeds)('hides from a process of V that its server is foreign (seed %i)', (seed) => {
    const w = new World(seed);
    w.disturb();
    w.drive(function* (one) {
      const client = processOn(one, 'client');
      for (const bytes of [...sizes, ...sizes])
        expectEcho(yield* on(one, client.send(idOf(foreign), asked(bytes))), asked(bytes), idOf(foreign));
    });
    expect(w.served).toBeGreaterThanOrEqual(2 * sizes.length);
  });

  // A response that is not kept cannot be asked for again in part: sixteen packets may never all arrive in the same attempt.
  it.each(seeds)(
    'hides it where responses may be made again, or says how much has come (seed %i)',
    (seed) => {
      const w = new World(seed, MessageFlag.datagram);
      w.disturb();
      w.drive(function* (one) {
        const client = processOn(one, 'client');
        for (const bytes of [...sizes, ...sizes]) {
          const response = yield* on(one, client.send(idOf(foreign), asked(bytes)));
          const { segment } = response.message;
          if (bytes < 2048 || codeOf(response.message) !== ReplyCode.badReplySegment)
            expectEcho(response, asked(bytes), idOf(foreign));
          else expect(sameBytes(segment, asked(bytes).segment.subarray(0, segment.length))).toBe(true);
        }
      });
    },
  );

  it.each(seeds)('lets the node be served, once for each request (seed %i)', (seed) => {
    const w = new World(seed);
    w.disturb();
    let executed = 0;
    w.drive(function* (_one, two) {
      const process = processOn(two, 'server');
      process.serve(function* ({ message: m }) {
        executed++;
        return echo(m);
      });
      for (const bytes of [...sizes, ...sizes])
        expectEcho(asResponse(yield* w.send(process.id, asked(bytes)).receive()), asked(bytes), process.id);
    });
    expect(executed).toBe(2 * sizes.length);
  });

  it.each(seeds)('lets it be served where responses may be made again (seed %i)', (seed) => {
    const w = new World(seed);
    w.disturb();
    w.drive(function* (_one, two) {
      const process = processOn(two, 'server');
      process.serve(function* ({ message: m }) {
        return echo(m, MessageFlag.datagram);
      });
      for (const bytes of [...sizes, ...sizes])
        expectEcho(asResponse(yield* w.send(process.id, asked(bytes)).receive()), asked(bytes), process.id);
    });
  });

  /** The node and a process of machine two both send, each to the other's machine; the notices that it took. */
  function bothWays(seed: number): Set<string> {
    const w = new World(seed);
    w.disturb();
    const notices = w.notices();
    w.drive(function* (_one, two) {
      const { id } = server(two);
      const client = processOn(two, 'client');
      const asking = function* (): Task<void> {
        for (const bytes of sizes)
          expectEcho(yield* client.send(idOf(foreign), asked(bytes)), asked(bytes), idOf(foreign));
      };
      const thread = two.scope.spawn('asking', asking());
      for (const bytes of sizes)
        expectEcho(asResponse(yield* w.send(id, asked(bytes)).receive()), asked(bytes), id);
      yield* thread.join();
    });
    return notices;
  }

  it('carries both ways at once, each side asking the other for what is missing and saying what is there', () => {
    const notices = new Set(seeds.flatMap((seed) => [...bothWays(seed)]));
    const { ok, retry, responseDiscarded } = ReplyCode;
    for (const from of ['foreign', 'two'])
      for (const what of [`client: ${ok}`, `client: ${retry}`, `server: ${retry}`])
        expect(notices).toContain(`${from} to a ${what}`);
    expect(notices).toContain(`foreign to a server: ${responseDiscarded}`);
  });
});

// ---- groups ----

describe('a group with a member on each machine and one on the node', () => {
  /** Its members on the machines; the node is the third. */
  function* group(w: World, one: ClusterMachine, two: ClusterMachine): Task<Grouped> {
    const id = one.board('ipc').mintGroup();
    const members = [server(one), server(two)];
    for (const member of members) member.join(id);
    w.node.groups.add(numberOf(id));
    return { id, members: members.map((m) => m.id) };
  }
  interface Grouped {
    readonly id: EntityId;
    readonly members: readonly EntityId[];
  }

  it.each([0, 1500])('answers a process of V, all three, %i bytes', (bytes) => {
    const w = new World();
    const sent = asked(bytes, MessageFlag.manyResponses);
    w.drive(function* (one, two) {
      const { id, members } = yield* group(w, one, two);
      const client = processOn(one, 'client');
      const ask = function* (): Task<Response[]> {
        const responses = [yield* client.send(id, sent)];
        for (;;) {
          const next = yield* client.nextReply(seconds(1));
          if (next === undefined) return responses;
          responses.push(next);
        }
      };
      const responses = yield* on(one, ask());
      expect(responses.map((r) => r.from).sort()).toEqual([...members, idOf(foreign)].sort());
      for (const response of responses) expectEcho(response, sent, response.from);
    });
    expect(w.served).toBe(1);
  });

  it('answers the node, all but the node itself', () => {
    const w = new World();
    const sent = asked(1500, MessageFlag.manyResponses);
    w.drive(function* (one, two) {
      const { id, members } = yield* group(w, one, two);
      const answers = w.send(id, sent);
      const got = [asResponse(yield* answers.receive()), asResponse(yield* answers.receive())];
      expect(got.map((r) => r.from).sort()).toEqual([...members].sort());
      for (const response of got) expectEcho(response, sent, response.from);
      yield* sleep(seconds(5));
      expect(answers.length).toBe(0);
    });
  });

  it('can be asked for the members beside one of them alone', () => {
    const w = new World();
    w.drive(function* (one, two) {
      const { id, members } = yield* group(w, one, two);
      const beside = message({ code: work, coResident: idOf(foreign) });
      const client = processOn(one, 'client');
      expect((yield* on(one, client.send(id, beside))).from).toBe(idOf(foreign));
      expect(yield* on(one, client.nextReply(seconds(2)))).toBeUndefined();
      const [, second] = members;
      if (second === undefined) throw new Error('two members');
      expect((yield* on(one, client.send(id, message({ code: work, coResident: second })))).from).toBe(
        second,
      );
    });
    expect(w.served).toBe(1);
  });

  it('that is known by a small number is heard, too', () => {
    const w = new World();
    w.drive(function* (one) {
      const id = one.board('ipc').wellKnownGroup(7);
      w.node.groups.add(numberOf(id));
      const response = yield* on(one, processOn(one, 'client').send(id, asked(700)));
      expectEcho(response, asked(700), idOf(foreign));
    });
  });
});

// ---- failures ----

describe('when somebody goes away', () => {
  it('a node that falls silent ends a send with retransmissionTimeout', () => {
    const w = new World();
    w.drive(function* (one) {
      const client = processOn(one, 'client');
      expectEcho(yield* on(one, client.send(idOf(foreign), asked(700))), asked(700), idOf(foreign));
      w.node.scope.crash();
      const response = yield* on(one, client.send(idOf(foreign), asked(1500)));
      expect(codeOf(response.message)).toBe(ReplyCode.retransmissionTimeout);
    });
    expect(w.served).toBe(1);
  });

  it('one that falls silent in the middle of a request does, too', () => {
    const w = new World();
    w.drive(function* (one) {
      const client = processOn(one, 'client');
      yield* on(one, client.send(idOf(foreign), asked(0)));
      new Timer(w.cluster.scope, 'power failure', () => w.node.scope.crash()).set(ms(10));
      const response = yield* on(one, client.send(idOf(foreign), asked(16_384)));
      expect(codeOf(response.message)).toBe(ReplyCode.retransmissionTimeout);
    });
    expect(w.served).toBe(1);
  });

  it('a process of V that has died gives the node nonexistentEntity', () => {
    const w = new World();
    w.drive(function* (_one, two) {
      const process = server(two);
      expect(codeOf((yield* w.send(process.id, asked(0)).receive()).message)).toBe(echoed);
      process.destroy();
      const { message: m } = yield* w.send(process.id, asked(1500)).receive();
      expect(codeOf(m)).toBe(ReplyCode.nonexistentEntity);
    });
  });

  it('so does one that dies with the request in its hands', () => {
    const w = new World();
    w.drive(function* (_one, two) {
      const process = processOn(two, 'server');
      two.scope.spawn(
        'server',
        (function* (): Task<void> {
          yield* process.receive();
          yield* sleep(seconds(3));
          process.destroy();
        })(),
      );
      const { message: m } = yield* w.send(process.id, asked(1500)).receive();
      expect(codeOf(m)).toBe(ReplyCode.nonexistentEntity);
    });
  });

  it('a machine that crashes gives it retransmissionTimeout, and serves it after the next boot', () => {
    const w = new World();
    w.drive(function* (_one, two) {
      const { id } = server(two);
      expect(codeOf((yield* w.send(id, asked(0)).receive()).message)).toBe(echoed);
      two.crash();
      const { message: m } = yield* w.send(id, asked(0)).receive();
      expect(codeOf(m)).toBe(ReplyCode.retransmissionTimeout);
      two.boot();
      yield* two.running();
      const next = server(two);
      expect(next.id).not.toBe(id);
      expectEcho(asResponse(yield* w.send(next.id, asked(700)).receive()), asked(700), next.id);
    });
  });
});
