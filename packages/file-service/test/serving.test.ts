import { type Engine, ms, seconds, sleep, type Task, type Thread } from '@backplane/engine';
import {
  type Caller,
  type FileId,
  hostId,
  noPayload,
  type Procedure,
  type Storage,
  type Transport,
} from '@backplane/slots';
import { testMachine } from '@backplane/slots/testing';
import { describe, expect, it } from 'vitest';
import { Serving } from '../src/index.ts';

const ping: Procedure<null, null> = { id: 200, name: 'ping', request: noPayload, reply: noPayload };
const root: FileId = { domain: 0, number: 1, generation: 1 };
const newFile = { type: 'file', mode: 0o600, uid: 0, gid: 0 } as const;

interface World {
  readonly engine: Engine;
  readonly serving: Serving;
  /** What is served, behind the storage's own door. */
  readonly storage: Storage;
  readonly log: string[];
  serve(handler: () => Task<null>): void;
  /** A request comes in: its handler runs on a thread of its own. */
  request(name: string): Thread<void>;
  spawn(body: () => Task<void>): void;
  run(): void;
}

/** A server half on its own, over a storage whose operations take 10 ms. */
function world(): World {
  const machine = testMachine();
  const { engine, scope } = machine;
  const log: string[] = [];
  const slow = {
    root,
    *create(_: FileId, name: string): Task<FileId> {
      yield* sleep(ms(10));
      log.push(`create ${name}`);
      return root;
    },
  } as unknown as Storage;
  const serving = new Serving(machine);
  let handle: () => Task<unknown> = function* () {};
  const transport = serving.over({
    serve: ((_: unknown, handler: (q: null, from: Caller) => Task<unknown>) => {
      handle = () => handler(null, { host: hostId(2), bootId: 1 });
      return () => {};
    }) as Transport['serve'],
  });
  return {
    engine,
    serving,
    storage: serving.guard(slow),
    log,
    serve: (handler) => void transport.serve(ping, handler),
    request: (name) =>
      scope.spawn(
        name,
        (function* (): Task<void> {
          yield* handle();
          log.push(`${name} answered`);
        })(),
      ),
    spawn: (body) => void scope.spawn('test', body()),
    run: () => engine.run(),
  };
}

describe('a server half', () => {
  it('lets requests wait until its storages are whole', () => {
    const w = world();
    w.serve(function* () {
      return null;
    });
    w.request('early');
    w.spawn(function* () {
      yield* sleep(ms(1));
      w.log.push('whole');
      w.serving.begin();
    });
    w.run();
    expect(w.log).toEqual(['whole', 'early answered']);
  });

  it('at a halt lets the handlers under way end, and later requests wait', () => {
    const w = world();
    w.serving.begin();
    let made = 0;
    w.serve(function* () {
      yield* w.storage.create(w.storage.root, `f${++made}`, newFile);
      yield* w.storage.create(w.storage.root, `f${++made}`, newFile);
      return null;
    });
    w.request('first');
    w.spawn(function* () {
      yield* sleep(ms(15));
      w.spawn(function* () {
        yield* w.serving.end();
        w.log.push('halted');
      });
      yield* sleep(ms(1));
      w.request('second');
    });
    w.run();
    expect(w.log).toEqual(['create f1', 'create f2', 'first answered', 'halted']);
  });

  it('leaves a handler behind that waits for others: it does nothing to a storage any more', () => {
    const w = world();
    w.serving.begin();
    w.serve(function* () {
      yield* sleep(seconds(60)); // a client that cannot answer
      yield* w.storage.create(w.storage.root, 'f', newFile);
      return null;
    });
    w.request('first');
    let haltedNs = 0;
    w.spawn(function* () {
      yield* sleep(ms(1));
      yield* w.serving.end();
      haltedNs = w.engine.nowNs;
    });
    w.run();
    expect(w.log).toEqual([]);
    expect(haltedNs).toBeLessThan(seconds(10));
  });

  it('lets an operation on a storage end however long it takes, and none begin after it', () => {
    const w = world();
    w.serving.begin();
    // Not a request: what a server does by itself.
    w.spawn(function* () {
      yield* w.storage.create(w.storage.root, 'f', newFile);
      yield* w.storage.create(w.storage.root, 'g', newFile);
    });
    w.spawn(function* () {
      yield* w.serving.end();
      w.log.push('halted');
    });
    w.run();
    expect(w.log).toEqual(['create f', 'halted']);
  });

  it('does not wait for the handlers of programs that were killed', () => {
    const w = world();
    w.serving.begin();
    w.serve(function* () {
      yield* sleep(seconds(60));
      return null;
    });
    const killed = w.request('killed');
    let haltedNs = 0;
    w.spawn(function* () {
      yield* sleep(ms(1));
      killed.cancel();
      yield* w.serving.end();
      haltedNs = w.engine.nowNs;
    });
    w.run();
    expect(haltedNs).toBe(ms(1));
  });
});
