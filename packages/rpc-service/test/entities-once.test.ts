import { ms, type RandomStream, seconds, sleep, type Task, type Thread } from '@backplane/engine';
import {
  type ArrivedRequest,
  codeOf,
  type Delivery,
  type EntityId,
  hostId,
  type Message,
  MessageFlag,
  ReplyCode,
  type Undo,
} from '@backplane/slots';
import { sameBytes } from '@backplane/slots/testing';
import { describe, expect, it } from 'vitest';
import { answerTo, done, type Host, numbered, numberOf, World } from './entities-world.ts';

const hosts = 4;
const seeds = 30;

/** What becomes of every request and every send, whatever goes wrong. */
class Course {
  readonly world: World;
  readonly #random: RandomStream;
  readonly #group: EntityId;
  /** By entity and number. */
  readonly #seen = new Map<string, number>();
  readonly problems: string[] = [];
  /** Servers wherever they are now, and what takes each from there. */
  readonly #servers = new Map<EntityId, { host: Host; undo: Undo; frozen: boolean }>();
  /** Of clients; those of a host that crashed have ended with it. */
  readonly threads: Thread[] = [];
  sends = 0;
  answered = 0;

  constructor(seed: number) {
    this.world = new World(hosts, seed);
    this.#random = this.world.engine.random('course');
    this.#group = this.world.host(0).entities.wellKnownGroup(1);
    const { net } = this.world;
    const random = this.world.engine.random('net');
    net.loses = () => random.chance(0.2);
    // A message that was lost on its way is a late one: calls are repeated.
    net.delayNs = () => (random.chance(0.1) ? random.below(seconds(1)) : random.below(ms(5)));
  }

  run(): void {
    const { world } = this;
    for (const host of world.hosts) this.#populate(host);
    world.engine.root.spawn('faults', this.#faults());
    world.after(seconds(3000));
  }

  #populate(host: Host): void {
    for (let i = 0; i < 2; i++) this.#place(host, host.entities.mint());
    for (let i = 0; i < 2; i++) {
      const client = host.entities.mint();
      host.entities.attach(client, { arrived: () => 'notAwaiting' });
      this.threads.push(host.spawn(this.#client(host, client)));
    }
  }

  #place(host: Host, entity: EntityId): void {
    const leave = host.entities.attach(entity, {
      arrived: (request) => this.#arrived(host, entity, request),
    });
    const undo = (): void => {
      leave();
      this.#servers.delete(entity);
    };
    this.#servers.set(entity, { host, undo, frozen: false });
    if (this.#random.chance(0.5)) host.entities.join(this.#group, entity);
  }

  #arrived(host: Host, entity: EntityId, request: ArrivedRequest): Delivery {
    const random = this.#random;
    if (this.#servers.get(entity)?.frozen === true) return 'frozen';
    if (random.chance(0.1)) return 'busy';
    const key = `${entity} ${numberOf(request.message)}`;
    // A number of a forwarded request has one more bit set for each time.
    const times = (this.#seen.get(key) ?? 0) + 1;
    this.#seen.set(key, times);
    if (times > 1) this.problems.push(`${key} was seen ${times} times`);
    host.spawn(this.#serve(request));
    return 'taken';
  }

  *#serve(request: ArrivedRequest): Task<void> {
    const random = this.#random;
    if (random.chance(0.5)) yield* sleep(random.below(random.chance(0.1) ? seconds(20) : ms(500)));
    const number = numberOf(request.message);
    const forwards = number >>> 24;
    if (forwards < 3 && random.chance(0.3)) {
      const onward = numbered((number & 0xff_ffff) | ((forwards + 1) << 24), request.message.segment);
      if (yield* request.forward(random.pick([...this.#servers.keys()]), onward)) return;
    }
    if (random.chance(0.05)) request.discard();
    else yield* request.respond(answerTo(request.message));
  }

  *#client(host: Host, client: EntityId): Task<void> {
    const random = this.#random;
    for (let i = 0; i < 12; i++) {
      yield* sleep(random.below(seconds(2)));
      const number = ++this.sends;
      const toGroup = random.chance(0.3);
      const to = toGroup ? this.#group : random.pick([...this.#servers.keys()]);
      const segment = new Uint8Array(random.chance(0.3) ? random.below(16_384) : 0).fill(number);
      const flags = toGroup && random.chance(0.5) ? MessageFlag.manyResponses : 0;
      const asked = numbered(number, segment, flags);
      const limit = random.chance(0.3) ? { timeoutNs: random.below(seconds(3)) } : {};
      const response = yield* host.entities.send(client, to, asked, limit);
      this.#check(asked, response.message);
      if (flags === 0) continue;
      for (let more = yield* host.entities.nextResponse(client, ms(300)); more !== undefined; ) {
        this.#check(asked, more.message);
        more = yield* host.entities.nextResponse(client, ms(300));
      }
    }
  }

  #check(asked: Message, m: Message): void {
    const code = codeOf(m);
    const number = numberOf(m);
    if (code === done) {
      this.answered++;
      const right = (number & 0xff_ffff) === numberOf(asked) && sameBytes(m.segment, answerTo(asked).segment);
      if (!right) this.problems.push(`${numberOf(asked)} was answered with ${number}`);
    } else if (!expected.has(code)) this.problems.push(`${numberOf(asked)} ended with ${code}`);
  }

  *#faults(): Task<void> {
    const random = this.#random;
    const { hosts, net } = this.world;
    for (let i = 0; i < 12; i++) {
      yield* sleep(random.below(seconds(3)));
      const what = random.below(3);
      if (what === 0) yield* this.#move();
      else if (what === 1) {
        const [a, b] = [hostId(1 + random.below(hosts.length)), hostId(1 + random.below(hosts.length))];
        net.cut(a, b);
        yield* sleep(random.below(seconds(12)));
        net.mend(a, b);
      } else {
        const host = random.pick(hosts);
        this.#lose(host);
        if (random.chance(0.5)) yield* sleep(random.below(seconds(10)));
        host.boot();
        this.#populate(host);
      }
    }
  }

  /** Frozen, gone, and elsewhere. */
  *#move(): Task<void> {
    const random = this.#random;
    const entity = random.pick([...this.#servers.keys()]);
    const server = this.#servers.get(entity);
    if (server === undefined) return;
    server.frozen = true;
    yield* sleep(random.below(seconds(2)));
    const to = random.pick(this.world.hosts);
    if (this.#servers.get(entity) !== server || !to.scope.alive) return;
    server.undo();
    this.#place(to, entity);
  }

  #lose(host: Host): void {
    for (const [entity, server] of [...this.#servers]) if (server.host === host) this.#servers.delete(entity);
    host.crash();
  }
}

const expected: ReadonlySet<number> = new Set([
  ReplyCode.nonexistentEntity,
  ReplyCode.retransmissionTimeout,
  ReplyCode.userTimeout,
  ReplyCode.responseDiscarded,
]);

describe('entities over calls', () => {
  it(`see each request once and end every send with its own answer, in ${seeds} courses of moves, forwards, losses, partitions and crashes`, () => {
    let [sends, answered] = [0, 0];
    for (let seed = 1; seed <= seeds; seed++) {
      const course = new Course(seed);
      course.run();
      expect({ seed, problems: course.problems }).toEqual({ seed, problems: [] });
      const waiting = course.threads.filter(({ ended }) => !ended).map((thread) => thread.trace());
      expect({ seed, waiting }).toEqual({ seed, waiting: [] });
      sends += course.sends;
      answered += course.answered;
    }
    expect(sends).toBeGreaterThan(100 * seeds);
    expect(answered).toBeGreaterThan(0.5 * sends);
  });

  it('do the same in the same order again', () => {
    const hash = (seed: number): string => {
      const course = new Course(seed);
      course.run();
      return course.world.engine.traceHash();
    };
    expect(hash(5)).toBe(hash(5));
    expect(hash(5)).not.toBe(hash(6));
  });
});
