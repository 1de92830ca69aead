/** Hosts whose transport is the one for tests, with entities over its calls; and services that do as they are told. */
import { Engine, type Scope, seconds, sleep, type Task, type Thread } from '@backplane/engine';
import {
  type ArrivedRequest,
  codeOf,
  type Delivery,
  type EntityId,
  type EntityService,
  type EntityTransport,
  hostId,
  type Message,
  MessageFlag,
  message,
  type Response,
  type SendOptions,
  type Undo,
  wordOf,
} from '@backplane/slots';
import { type TestMachine, testMachine } from '@backplane/slots/testing';
import { EntitiesOverCalls } from '../src/index.ts';
import { End, Net } from '../src/testing.ts';

export class World {
  readonly engine: Engine;
  readonly net: Net;
  readonly hosts: readonly Host[];

  constructor(hosts: number, seed = 1) {
    this.engine = new Engine({ seed });
    this.net = new Net(this.engine);
    this.hosts = Array.from({ length: hosts }, (_, i) => new Host(this, i + 1));
  }

  host(i: number): Host {
    const host = this.hosts[i];
    if (host === undefined) throw new Error(`no host ${i}`);
    return host;
  }

  after(forNs: number): void {
    this.engine.run(this.engine.nowNs + forNs);
  }

  /** Runs a task of a host to its end, within an hour. */
  on<T>(host: Host, body: () => Task<T>): T {
    return this.result(host.spawn(body()));
  }

  /** What a thread returns, within an hour. */
  result<T>(thread: Thread<T>): T {
    const results: T[] = [];
    const { engine } = this;
    const joiner = engine.root.spawn(
      'joiner',
      (function* (): Task<void> {
        results.push(yield* thread.join());
        engine.stop();
      })(),
    );
    engine.run(engine.nowNs + seconds(3600));
    if (!joiner.ended) throw new Error(`${thread.name} still waits after an hour: ${thread.trace()}`);
    return results[0] as T;
  }
}

export class Host {
  readonly world: World;
  readonly number: number;
  machine: TestMachine;
  transport: End;
  entities: EntityTransport;
  #bootId = 1000;

  constructor(world: World, number: number) {
    this.world = world;
    this.number = number;
    [this.machine, this.transport, this.entities] = this.#boot();
  }

  get scope(): Scope {
    return this.machine.scope;
  }

  spawn<T>(body: Task<T>): Thread<T> {
    return this.scope.spawn('test', body);
  }

  crash(): void {
    this.scope.crash();
  }

  boot(): void {
    [this.machine, this.transport, this.entities] = this.#boot();
  }

  reboot(): void {
    this.crash();
    this.boot();
  }

  /** An entity with a service that answers at once. */
  desk(how: Partial<Manner> = {}, entity: EntityId = this.entities.mint()): Desk {
    return new Desk(this, entity, how);
  }

  send(from: EntityId, to: EntityId, m: Message, options?: SendOptions): Thread<Response> {
    return this.spawn(this.entities.send(from, to, m, options));
  }

  /** A send, to its end. */
  sends(from: EntityId, to: EntityId, m: Message, options?: SendOptions): Response {
    return this.world.result(this.send(from, to, m, options));
  }

  /** The code with which a send ends. */
  code(from: EntityId, to: EntityId, m: Message, options?: SendOptions): number {
    return codeOf(this.sends(from, to, m, options).message);
  }

  #boot(): [TestMachine, End, EntityTransport] {
    const { engine, net } = this.world;
    const machine = testMachine({
      engine,
      name: `host${this.number}`,
      host: this.number,
      bootId: this.#bootId++,
    });
    const transport = new End(net, hostId(this.number), machine.bootId, machine.scope);
    return [machine, transport, new EntitiesOverCalls(machine, transport)];
  }
}

/** What a service does with a request. */
export interface Manner {
  delivery: Delivery;
  /** How long it works on one; infinitely: until told. */
  worksNs: number;
  /** Forwards to it instead of answering. */
  forwardsTo: EntityId | null;
  discards: boolean;
  /** Flags of its responses. */
  flags: number;
}

/** An entity with its service: answers with the number of the request, and the segment turned round. */
export class Desk implements EntityService {
  readonly entity: EntityId;
  readonly manner: Manner;
  /** Numbers of the requests that it took. */
  readonly seen: number[] = [];
  readonly requests: ArrivedRequest[] = [];
  /** Requests of which it was told that they are abandoned. */
  readonly told: number[] = [];
  /** Whether each forward was allowed. */
  readonly forwards: boolean[] = [];
  readonly leaves: Undo;
  readonly #host: Host;

  constructor(host: Host, entity: EntityId, how: Partial<Manner>) {
    this.#host = host;
    this.entity = entity;
    this.manner = {
      delivery: 'taken',
      worksNs: 0,
      forwardsTo: null,
      discards: false,
      flags: 0,
      ...how,
    };
    this.leaves = host.entities.attach(entity, this);
  }

  arrived(request: ArrivedRequest): Delivery {
    const { delivery, worksNs } = this.manner;
    if (delivery !== 'taken') return delivery;
    this.requests.push(request);
    this.seen.push(numberOf(request.message));
    if (worksNs < Infinity) this.#host.spawn(this.#work(request));
    return 'taken';
  }

  abandoned(request: ArrivedRequest): void {
    this.told.push(numberOf(request.message));
  }

  /** Answers a request that it has. */
  answer(request: ArrivedRequest): void {
    this.#host.spawn(request.respond(answerTo(request.message, this.manner.flags)));
  }

  *#work(request: ArrivedRequest): Task<void> {
    const { worksNs, forwardsTo, discards, flags } = this.manner;
    if (worksNs > 0) yield* sleep(worksNs);
    if (discards) request.discard();
    else if (forwardsTo === null) yield* request.respond(answerTo(request.message, flags));
    else {
      const forwarded = yield* request.forward(forwardsTo, request.message);
      this.forwards.push(forwarded);
      if (!forwarded) yield* request.respond(answerTo(request.message, flags));
    }
  }
}

export const operation = 0x0012_34;
export const done = 0x80_0001;

/** A request that says which one it is. */
export const numbered = (number: number, segment?: Uint8Array, flags = 0): Message =>
  message({ code: operation, flags, words: [0, 0, number], ...(segment && { segment }) });

export const numberOf = (m: Message): number => wordOf(m, 3);

export const answerTo = (asked: Message, flags = 0): Message =>
  message({
    code: done,
    flags,
    words: [0, 0, numberOf(asked)],
    segment: asked.segment.toReversed(),
  });

export const flag: typeof MessageFlag = MessageFlag;
