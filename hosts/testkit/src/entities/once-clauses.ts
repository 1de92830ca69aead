/** At most once, and always an end: properties over drawn courses of events. A failing one names its seed. */
import { ms, type RandomStream, seconds, sleep, type Task, type Thread } from '@backplane/engine';
import {
  type ArrivedRequest,
  codeOf,
  type Delivery,
  type EntityId,
  type LinkVerdict,
  type Message,
  MessageFlag,
  ReplyCode,
  type Undo,
} from '@backplane/slots';
import { pattern, sameBytes } from '@backplane/slots/testing';
import { type Check, same, within } from '../check.ts';
import { eachCourse } from '../course.ts';
import { type Host, World } from '../transport/world.ts';
import { entitiesOf, names } from './desk.ts';
import { answerTo, done, numbered, numberOf } from './messages.ts';
import type { Bounds } from './under-test.ts';

interface Faults {
  /** Loses, repeats and delays frames. */
  readonly frames?: boolean;
  /** Hosts lose their power, and come back. */
  readonly crashes?: boolean;
  /** Servers freeze, and go on where they were or elsewhere. */
  readonly moves?: boolean;
}

const sendsEach = 4;

/** Loses, repeats and delays frames; a delay is what reorders them. */
function framesOf(random: RandomStream): () => LinkVerdict {
  const loss = random.unit() * 0.1;
  const copies = random.unit() * 0.15;
  const late = random.unit() * 0.2;
  return () => {
    if (random.chance(loss)) return 'drop';
    if (random.chance(copies)) return { copies: 2, spacingNs: 1 + random.below(ms(300)) };
    return random.chance(late) ? { delayNs: 1 + random.below(ms(300)) } : 'pass';
  };
}

/** Where a server is, and how it leaves. */
interface Placed {
  readonly host: Host;
  readonly undo: Undo;
  frozen: boolean;
}

class Course {
  asked = 0;
  answered = 0;
  readonly problems: string[] = [];
  readonly #world: World;
  readonly #random: RandomStream;
  readonly #group: EntityId;
  readonly #faults: Faults;
  readonly #servers = new Map<EntityId, Placed>();
  readonly #clients: Thread[] = [];
  /** How often each server has seen each request, which has another number after each forward. */
  readonly #seen = new Map<string, number>();

  constructor(boards: Bounds['boards'], seed: number, faults: Faults) {
    this.#world = new World(boards, names, { seed });
    this.#random = this.#world.engine.random('course of a check');
    this.#group = entitiesOf(this.#world.host(0)).wellKnownGroup(1);
    this.#faults = faults;
    if (faults.frames) this.#world.judge = framesOf(this.#world.engine.random('faults of a check'));
  }

  /** @param patienceSeconds after which nobody may still wait */
  run(patienceSeconds: number): void {
    const world = this.#world;
    world.drive(function* () {});
    for (const host of world.hosts) this.#populate(host);
    world.engine.root.spawn('faults of a check', this.#trouble());
    world.after(seconds(patienceSeconds));
    const waiting = this.#clients.filter(({ ended }) => !ended).map((thread) => thread.trace());
    same('clients that still wait', waiting, []);
    same('problems', this.problems, []);
  }

  #populate(host: Host): void {
    this.#place(host, entitiesOf(host).mint());
    for (let i = 0; i < 2; i++) {
      const client = entitiesOf(host).mint();
      entitiesOf(host).attach(client, { arrived: () => 'busy' });
      this.#clients.push(host.spawn(this.#client(host, client)));
    }
  }

  #place(host: Host, entity: EntityId): void {
    const arrived = (request: ArrivedRequest): Delivery => this.#arrived(host, entity, request);
    const leave = entitiesOf(host).attach(entity, { arrived });
    this.#servers.set(entity, {
      host,
      undo: () => {
        leave();
        this.#servers.delete(entity);
      },
      frozen: false,
    });
    // A member that moves while a request to its group is repeated may see that again: the contract does not speak of it.
    if (!this.#faults.moves) entitiesOf(host).join(this.#group, entity);
  }

  #arrived(host: Host, entity: EntityId, request: ArrivedRequest): Delivery {
    if (this.#servers.get(entity)?.frozen === true) return 'frozen';
    if (this.#random.chance(0.1)) return 'busy';
    const number = numberOf(request.message);
    const key = `${entity} ${number}`;
    const times = (this.#seen.get(key) ?? 0) + 1;
    this.#seen.set(key, times);
    if (times > 1) this.problems.push(`request ${number & 0xffff} was seen ${times} times by ${entity}`);
    host.spawn(this.#serve(request));
    return 'taken';
  }

  *#serve(request: ArrivedRequest): Task<void> {
    const random = this.#random;
    if (random.chance(0.3)) yield* sleep(random.below(random.chance(0.1) ? seconds(8) : ms(300)));
    const number = numberOf(request.message);
    const forwards = number >>> 16;
    if (forwards < 3 && random.chance(0.3)) {
      const onward = numbered(number + 0x1_0000, { segment: request.message.segment });
      if (yield* request.forward(random.pick([...this.#servers.keys()]), onward)) return;
    }
    if (random.chance(0.03)) request.discard();
    else yield* request.respond(answerTo(request.message));
  }

  *#client(host: Host, client: EntityId): Task<void> {
    const random = this.#random;
    const { moves } = this.#faults;
    for (let i = 0; i < sendsEach; i++) {
      yield* sleep(random.below(ms(500)));
      const toGroup = moves !== true && random.chance(0.3);
      const to = toGroup ? this.#group : random.pick([...this.#servers.keys()]);
      const flags = toGroup && random.chance(0.5) ? MessageFlag.manyResponses : 0;
      const segment = pattern(random.chance(0.3) ? random.below(9000) : 0, i);
      const asked = numbered(++this.asked, { segment, flags });
      const limit = random.chance(0.2) ? { timeoutNs: ms(1) + random.below(seconds(3)) } : {};
      const { message } = yield* entitiesOf(host).send(client, to, asked, limit);
      if (this.#check(asked, message)) this.answered++;
      for (let more = flags !== 0; more; ) {
        const further = yield* entitiesOf(host).nextResponse(client, ms(300));
        more = further !== undefined;
        if (further !== undefined) this.#check(asked, further.message);
      }
    }
  }

  /** True: it was answered, and rightly. */
  #check(asked: Message, found: Message): boolean {
    const number = numberOf(asked);
    const code = codeOf(found);
    if (code === done) {
      const right =
        (numberOf(found) & 0xffff) === number && sameBytes(found.segment, answerTo(asked).segment);
      if (!right) this.problems.push(`request ${number} was answered with ${numberOf(found) & 0xffff}`);
      return right;
    }
    if (!failures.has(code)) this.problems.push(`request ${number} ended with ${code}`);
    return false;
  }

  *#trouble(): Task<void> {
    const random = this.#random;
    const { crashes, moves } = this.#faults;
    for (let i = 0; i < 4; i++) {
      yield* sleep(random.below(seconds(2)));
      if (crashes) {
        const host = random.pick(this.#world.hosts);
        for (const [entity, server] of [...this.#servers])
          if (server.host === host) this.#servers.delete(entity);
        host.crash();
        if (random.chance(0.5)) yield* sleep(random.below(seconds(5)));
        host.boot();
        yield* host.running();
        this.#populate(host);
      }
      if (moves) yield* this.#move();
    }
  }

  *#move(): Task<void> {
    const random = this.#random;
    const entity = random.pick([...this.#servers.keys()]);
    const server = this.#servers.get(entity);
    if (server === undefined) return;
    server.frozen = true;
    yield* sleep(ms(500) + random.below(seconds(2)));
    if (random.chance(0.3)) {
      server.frozen = false;
      return;
    }
    server.undo();
    this.#place(random.pick(this.#world.hosts), entity);
  }
}

const failures: ReadonlySet<number> = new Set([
  ReplyCode.nonexistentEntity,
  ReplyCode.retransmissionTimeout,
  ReplyCode.userTimeout,
  ReplyCode.responseDiscarded,
  ReplyCode.badReplySegment,
]);

export const onceClauses = ({ boards, courses, silenceSeconds, noticeSeconds }: Bounds): readonly Check[] => {
  const patienceSeconds = 60 + 4 * sendsEach * (silenceSeconds + noticeSeconds);
  const clause = (name: string, faults: Faults, least: number): Check => ({
    name,
    run: () => {
      let [asked, answered] = [0, 0];
      eachCourse(courses, (seed) => {
        const course = new Course(boards, seed, faults);
        course.run(patienceSeconds);
        asked += course.asked;
        answered += course.answered;
      });
      within('answered', answered / asked, least, 1);
    },
  });
  return [
    clause(
      'a request is seen at most once and every send ends with its own answer, whatever the network loses, repeats or delays',
      { frames: true },
      0.8,
    ),
    clause(
      'a request is seen at most once and every send ends, also when hosts lose their power and come back',
      { frames: true, crashes: true },
      0.3,
    ),
    clause(
      'a request is seen at most once and every send ends with its own answer, while servers move from host to host',
      { moves: true },
      0.8,
    ),
  ];
};
