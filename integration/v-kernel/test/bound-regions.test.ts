/** Programs whose memory is a file: what they load and store goes on when the file's server has died, and come back. */
import { seconds, sleep, type Task } from '@backplane/engine';
import { type EntityId, type IpcProcess, isKernelError, type NativeText, wellKnown } from '@backplane/slots';
import { uio } from '@backplane/uio-v';
import { vFileServer, vWorkstation } from '@backplane/v';
import {
  ask,
  awaitProcess,
  bindRegion,
  createProcess,
  createSpace,
  destroySpace,
  priorityOf,
  startProcess,
} from '@backplane/v-operations';
import { describe, expect, it } from 'vitest';
import { objectOf } from './bound-object.ts';
import { World } from './world.ts';

const first = 4;
const pages = 6;

const world = (): World =>
  new World({
    workstations: ['mace'],
    kernel: vWorkstation(),
    server: vFileServer().with({ fileCache: uio({ writes: 'through', probeSeconds: 5 }) }),
  });

/** A space whose only region shows the file; the key is as the cache directory makes it, unless it is given. */
function* spaceOn(w: World, self: IpcProcess, path: string, key?: string): Task<number> {
  const memory = w.group('mace', wellKnown.memoryManagers);
  const object = yield* objectOf(w, self, path, key);
  const { space } = yield* ask(self, memory, createSpace, { name: 'team' }, { beside: self.id });
  yield* ask(self, memory, bindRegion, { space, first, pages, writable: 1, object }, { beside: self.id });
  return space;
}

function* started(w: World, self: IpcProcess, space: number, text: NativeText): Task<EntityId> {
  const managers = w.group('mace', wellKnown.processManagers);
  const number = w.cluster.natives.texts.add(text);
  const how = { space, text: number, argument: 0, priority: priorityOf('foreground'), name: 'pager' };
  const { process } = yield* ask(self, managers, createProcess, how, { beside: self.id });
  yield* ask(self, managers, startProcess, { process }, { beside: process });
  return process;
}

function* ended(w: World, self: IpcProcess, process: EntityId): Task<number> {
  const managers = w.group('mace', wellKnown.processManagers);
  return (yield* ask(self, managers, awaitProcess, { process }, { beside: process })).status;
}

/** Adds one to the first byte of each page in each round; its status is how many are not what it left there. */
const counting = (rounds: number): NativeText =>
  function* ({ memory }) {
    if (memory === null) return -1;
    let wrong = 0;
    for (let round = 0; round < rounds; round++) {
      for (let page = first; page < first + pages; page++) {
        const at = page * memory.pageBytes;
        const [had = -1] = yield* memory.read(at, 1);
        if (had !== round) wrong++;
        yield* memory.write(at, Uint8Array.of(round + 1));
      }
      yield* sleep(seconds(1));
    }
    return wrong;
  };

function* killServer(w: World, downSeconds: number): Task<void> {
  w.machine('allspice').crash();
  yield* sleep(seconds(downSeconds));
  w.machine('allspice').boot();
  yield* w.machine('allspice').running();
}

describe('a region of a file', () => {
  it('is paged on after the file server was killed and has come back, and no store is lost', () => {
    const w = world();
    const seen = w.run(() =>
      w.on('mace', function* (self) {
        const space = yield* spaceOn(w, self, '/f');
        const process = yield* started(w, self, space, counting(30));
        yield* sleep(seconds(5));
        yield* killServer(w, 8);
        const wrong = yield* ended(w, self, process);
        yield* ask(
          self,
          w.group('mace', wellKnown.memoryManagers),
          destroySpace,
          { space },
          { beside: self.id },
        );
        yield* sleep(seconds(5));
        // Another program sees in the file what this one stored.
        const other = yield* spaceOn(w, self, '/f');
        const reader: NativeText = function* ({ memory }) {
          yield* sleep(seconds(1));
          return memory === null ? -1 : ((yield* memory.read((first + 5) * memory.pageBytes, 1))[0] ?? -1);
        };
        const last = yield* ended(w, self, yield* started(w, self, other, reader));
        return { wrong, last };
      }),
    );
    expect(seen).toEqual({ wrong: 0, last: 30 });
  });

  it('outlives the process that has opened the file, and the file server after that', () => {
    const w = world();
    const wrong = w.run(function* () {
      const space = yield* w.on('mace', (opener) => spaceOn(w, opener, '/f'));
      return yield* w.on('mace', function* (self) {
        const process = yield* started(w, self, space, counting(40));
        yield* sleep(seconds(20)); // the server has asked after owners meanwhile
        yield* killServer(w, 3);
        return yield* ended(w, self, process);
      });
    });
    expect(wrong).toBe(0);
  });

  it('of an object that has no name is lost with its manager, and the program is told so', () => {
    const w = world();
    const told = w.run(() =>
      w.on('mace', function* (self) {
        const space = yield* spaceOn(w, self, '/f', 'an object');
        const outcomes: string[] = [];
        const text: NativeText = function* ({ memory }) {
          try {
            for (;;) {
              yield* memory?.write(first * memory.pageBytes, Uint8Array.of(1)) ?? sleep(0);
              yield* sleep(seconds(1));
            }
          } catch (e) {
            if (!isKernelError(e)) throw e;
            outcomes.push(e.kind);
            return 0;
          }
        };
        yield* started(w, self, space, text);
        yield* sleep(seconds(2));
        yield* killServer(w, 3);
        for (let waited = 0; outcomes.length === 0 && waited < 60; waited++) yield* sleep(seconds(1));
        return outcomes;
      }),
    );
    expect(told).toEqual(['objectLost']);
  });
});
