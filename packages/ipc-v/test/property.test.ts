import { ms, type RandomStream, seconds, sleep, type Task } from '@backplane/engine';
import { type IpcProcess, MessageFlag, message, type Received, ReplyCode } from '@backplane/slots';
import { pattern, sameBytes } from '@backplane/slots/testing';
import { describe, expect, it } from 'vitest';
import { Memory } from './memory.ts';
import { Model } from './model.ts';
import { code, type Made, World, word, words } from './world.ts';

const granted = 600;
const sendsEach = 10;

/** Servers and clients on three hosts, and somebody who freezes, thaws, kills and replaces them. */
class Course {
  readonly w: World;
  readonly random: RandomStream;
  readonly model: Model = new Model();
  readonly servers: (Made & { readonly name: string; readonly host: number })[] = [];
  readonly names: Map<string, string> = new Map();
  clientsEnded = 0;
  #made = 0;

  constructor(seed: number) {
    this.w = new World({ seed, hosts: 3, ipc: { queuedMax: 3 } });
    this.random = this.w.engine.random('course');
    for (let i = 0; i < 5; i++) this.servers.push(this.#server());
  }

  #server(): Made & { readonly name: string; readonly host: number } {
    const name = `server ${this.#made++}`;
    const host = this.random.below(3);
    const byProcedure = this.random.chance(0.3);
    const handle = (p: IpcProcess, r: Received) => this.#handle(p, r, name, host);
    const made = this.w.host(host).process(name, function* (p): Task<void> {
      if (byProcedure) {
        p.serve(
          function* (r) {
            yield* handle(p, r);
            return 'discard';
          },
          { concurrent: 2 },
        );
      } else for (;;) yield* handle(p, yield* p.receive());
    });
    this.model.living.add(name);
    this.names.set(made.process.id, name);
    return { ...made, name, host };
  }

  /** Answers a request, or passes it on, with moves before and after, and then tries what is not allowed any more. */
  *#handle(p: IpcProcess, r: Received, name: string, host: number): Task<void> {
    const { model, random } = this;
    const number = word(r, 1);
    model.receives(number, name);
    if (random.chance(0.4)) yield* sleep(random.below(ms(30)));
    const moved = random.chance(0.6);
    if (moved) {
      const outcome = yield* p.moveBytesTo(r, 0, pattern(granted, number));
      model.moves(number, name, outcome === ReplyCode.ok);
      const back = yield* p.moveBytesFrom(r, 0, granted);
      if (typeof back !== 'number') expect(sameBytes(back, pattern(granted, number))).toBe(true);
      expect(yield* p.moveBytesTo(r, 1, pattern(granted, number))).toBe(ReplyCode.noPermission);
    }
    const next = random.pick(this.servers);
    if (random.chance(0.3) && next.process.id !== p.id) {
      const onward = yield* p.forward(r, next.process.id, r.message);
      if (onward === ReplyCode.ok) {
        model.passesOn(number, name);
        expect(yield* p.moveBytesTo(r, 0, pattern(1, 1))).toBe(ReplyCode.noPermission);
        expect(yield* p.reply(r, words(0))).toBe(ReplyCode.nonexistentEntity);
        return;
      }
    }
    const outcome = yield* p.reply(r, words(0, number, moved ? 1 : 0));
    model.answers(number, name, host, outcome === ReplyCode.ok);
    expect(yield* p.reply(r, words(0))).toBe(ReplyCode.nonexistentEntity);
  }

  client(n: number): Made {
    const { w, model, random } = this;
    const memory = new Memory(1024);
    const host = random.below(3);
    const name = `client ${n}`;
    const course = this;
    return w.host(host).process(
      name,
      function* (p): Task<void> {
        for (let i = 0; i < sendsEach; i++) {
          const number = 1000 * n + i;
          const limited = random.chance(0.25);
          const flags = random.chance(0.15) ? MessageFlag.conditional : 0;
          memory.bytes.fill(0);
          model.sent(number, host, limited);
          const grant = { read: true, write: true, address: 0, bytes: granted };
          const options = limited ? { grant, timeoutNs: 1 + random.below(ms(60)) } : { grant };
          const request = message({ code: 1, words: [number], flags });
          const response = yield* p.send(random.pick(course.servers).process.id, request, options);
          const outcome = code(response);
          const ok = outcome === ReplyCode.ok;
          model.ends(number, ok ? (course.names.get(response.from) ?? '?') : null);
          if (ok) {
            expect(word(response, 1)).toBe(number);
            if (word(response, 2) === 1)
              expect(sameBytes(memory.bytes.subarray(0, granted), pattern(granted, number))).toBe(true);
          } else if (outcome === ReplyCode.userTimeout) {
            expect(limited).toBe(true);
          } else if (outcome === ReplyCode.notAwaitingMessage) {
            expect(flags).not.toBe(0);
          } else {
            expect(outcome).toBe(ReplyCode.nonexistentEntity);
          }
          // What comes later is not for us.
          const after = memory.bytes.slice();
          if (random.chance(0.5)) yield* sleep(random.below(ms(20)));
          expect(sameBytes(memory.bytes, after)).toBe(true);
        }
        course.clientsEnded++;
      },
      memory,
    );
  }

  *trouble(clients: readonly Made[]): Task<void> {
    const { random } = this;
    for (let i = 0; i < 30; i++) {
      yield* sleep(random.below(ms(25)));
      const at = random.below(this.servers.length);
      const server = this.servers[at];
      if (server === undefined) continue;
      const event = random.unit();
      if (event < 0.6) {
        const frozen = random.chance(0.7) ? server : random.pick(clients);
        frozen.process.freeze();
        yield* sleep(random.below(ms(25)));
        frozen.process.unfreeze();
      } else if (event < 0.85) {
        this.model.living.delete(server.name);
        const end = random.below(3);
        if (end === 0) server.process.destroy();
        else if (end === 1) server.scope.cancel();
        else server.scope.crash();
        this.servers[at] = this.#server();
      }
    }
  }
}

describe('courses of events', () => {
  it('whatever is sent, passed on, moved, frozen and killed: every send ends, and nobody gets what is not his', () => {
    const sum = { received: 0, answered: 0, passedOn: 0, moved: 0, refused: 0 };
    for (let seed = 1; seed <= 60; seed++) {
      try {
        const course = new Course(seed);
        const { w, model } = course;
        const clients = Array.from({ length: 6 }, (_, n) => course.client(n + 1));
        w.run(() => course.trouble(clients));
        w.after(seconds(10));
        expect(course.clientsEnded).toBe(clients.length);
        // Nothing hangs: each server that lives answers.
        const last = w.host(0).process('last', undefined, new Memory(1024));
        for (const { process } of course.servers) {
          const number = 1_000_000 + course.model.answered;
          model.sent(number, 0, false);
          const grant = { read: true, write: true, address: 0, bytes: granted };
          const request = words(1, number);
          const response = w.run(() => last.process.send(process.id, request, { grant }));
          expect(code(response)).toBe(ReplyCode.ok);
          model.ends(number, course.names.get(response.from) ?? '?');
        }
        sum.received += model.received;
        sum.answered += model.answered;
        sum.passedOn += model.passedOn;
        sum.moved += model.moved;
        sum.refused += model.refused;
      } catch (e) {
        throw new Error(`seed ${seed}`, { cause: e });
      }
    }
    // The courses are worth something.
    for (const count of Object.values(sum)) expect(count).toBeGreaterThan(150);
  });
});
