import { seconds, sleep } from '@backplane/engine';
import { Debugger } from '@backplane/exception-server-v';
import { KernelError, wellKnown } from '@backplane/slots';
import { ask, awaitProcess } from '@backplane/v-operations';
import { describe, expect, it } from 'vitest';
import { startedIn } from './started.ts';
import { World } from './world.ts';

/** Reads what it is not told to be there, and returns it; then ends, after a while for others to look. */
const address = 5 * 4096 + 8;

describe.each(['mace', 'thyme'])('a debugger on %s, of a program on mace', (host) => {
  it('is told of a reference to no memory, gives some with content, and the program goes on', () => {
    const w = new World({ server: null });
    const told = w.run(function* () {
      const here = w.ipc('mace').create({ name: 'here', scope: w.machine('mace').scope, space: null }).id;
      return yield* w.on(host, function* (self) {
        const { process } = yield* startedIn(w, self, here, function* ({ memory }) {
          yield* sleep(seconds(1));
          const [byte = 0] = memory === null ? [] : yield* memory.read(address, 1);
          yield* sleep(seconds(1));
          return byte;
        });
        const debug = new Debugger(w.ipc(host), w.machine(host).scope);
        yield* debug.attach(process, 'program');
        const stopped = yield* debug.next(seconds(30));
        yield* debug.give(process, address, 1);
        yield* debug.deposit(process, address, new Uint8Array([99]));
        const seen = yield* debug.examine(process, address - 1, 3);
        const waiting = debug.stopped.length;
        debug.resume(process);
        const managers = w.group(host, wellKnown.processManagers);
        const { status } = yield* ask(self, managers, awaitProcess, { process }, { beside: here });
        return {
          is: stopped?.kind,
          at: stopped?.address,
          seen: [...seen],
          waiting,
          status,
          after: debug.stopped.length,
        };
      });
    });
    expect(told).toEqual({ is: 'address', at: address, seen: [0, 99, 0], waiting: 1, status: 99, after: 0 });
  });

  it('may end it instead', () => {
    const w = new World({ server: null });
    const ended = w.run(function* () {
      const here = w.ipc('mace').create({ name: 'here', scope: w.machine('mace').scope, space: null }).id;
      return yield* w.on(host, function* (self) {
        const { process } = yield* startedIn(w, self, here, function* ({ memory }) {
          yield* sleep(seconds(1));
          if (memory !== null) yield* memory.write(address, new Uint8Array(1));
          return 0;
        });
        const debug = new Debugger(w.ipc(host), w.machine(host).scope);
        yield* debug.attach(process, 'host');
        const stopped = yield* debug.next(seconds(30));
        yield* debug.kill(process);
        return { write: stopped?.write, is: yield* w.ipc(host).probe(process), left: debug.stopped.length };
      });
    });
    expect(ended).toEqual({ write: true, is: 'nonexistent', left: 0 });
  });
});

describe('an exception that nobody handles', () => {
  it.each(['memory', 'error'])('ends the process (%s)', (why) => {
    const w = new World({ server: null });
    const status = w.run(function* () {
      return yield* w.on('mace', function* (self) {
        const { process } = yield* startedIn(w, self, self.id, function* ({ memory }) {
          yield* sleep(seconds(1));
          if (why === 'error' || memory === null) throw new KernelError('ioError');
          yield* memory.read(address, 1);
          return 0;
        });
        const managers = w.group('mace', wellKnown.processManagers);
        return (yield* ask(self, managers, awaitProcess, { process }, { beside: self.id })).status;
      });
    });
    expect(status).toBe(1);
  });
});
