import type { Task } from '@backplane/engine';
import { Busy, type IpcProcess, type Message, message } from '@backplane/slots';
import { describe, expect, it } from 'vitest';
import { Memory } from './memory.ts';
import { OneProcessor } from './processor.ts';
import { World, words } from './world.ts';

/** The primitives of a Sun-3/75 that matter here. */
const sun3 = { trapNs: 60_000, contextSwitchNs: 150_000, copyNsPerByte: 271 };

/** The mean over some transactions in a row, after the first ones, in milliseconds; and what they executed. */
function measure(request: Message, serve: (p: IpcProcess) => Task<void>) {
  const w = new World({ hosts: 1, costs: sun3 });
  const host = w.host(0);
  const processor = new OneProcessor(host.machine.scope, sun3.contextSwitchNs);
  const server = host.process('server', serve, new Memory(32_768, 0));
  const space = new Memory(32_768, 0);
  const count = 50;
  let result = { ms: 0, switches: 0, kernelMs: 0 };
  host.process(
    'client',
    function* (p): Task<void> {
      const grant = { read: true, write: true, address: 0, bytes: 16_384 };
      for (let i = 0; i < 5; i++) yield* p.send(server.process.id, request, { grant });
      const [ns, switches] = [w.engine.nowNs, processor.switches];
      const busyNs = processor.busyNs.get(Busy.kernel) ?? 0;
      for (let i = 0; i < count; i++) yield* p.send(server.process.id, request, { grant });
      result = {
        ms: (w.engine.nowNs - ns) / 1e6 / count,
        switches: (processor.switches - switches) / count,
        kernelMs: ((processor.busyNs.get(Busy.kernel) ?? 0) - busyNs) / 1e6 / count,
      };
    },
    space,
  );
  w.after(60e9);
  return result;
}

const replies = (reply: Message) =>
  function* (p: IpcProcess): Task<void> {
    for (;;) yield* p.reply(yield* p.receive(), reply);
  };
const segment = (bytes: number): Message => message({ code: 0, segment: new Uint8Array(bytes) });

describe('costs of a local transaction on a Sun-3/75', () => {
  it('Send, Receive and Reply of 32 bytes are three traps and two context switches: 0.480 ms', () => {
    const { ms, switches, kernelMs } = measure(words(7), replies(words(0)));
    expect(ms).toBeCloseTo(0.48, 6);
    expect(switches).toBe(2);
    expect(kernelMs).toBeCloseTo(0.18, 6);
  });

  it('a response of 8 KB costs its copy besides: 2.7 ms', () => {
    const { ms } = measure(words(7), replies(segment(8192)));
    expect(ms).toBeCloseTo(0.48 + (8192 * 271) / 1e6, 6);
    expect(Math.abs(ms / 2.7 - 1)).toBeLessThan(0.01);
  });

  it('a request of 8 KB costs the same as a response', () => {
    expect(measure(segment(8192), replies(words(0))).ms).toBeCloseTo(
      measure(words(7), replies(segment(8192))).ms,
      6,
    );
  });

  it('moves are a trap each, and the copy', () => {
    const { ms } = measure(words(7), function* (p) {
      for (;;) {
        const r = yield* p.receive();
        yield* p.moveTo(r, 0, 0, 4096);
        yield* p.moveBytesFrom(r, 0, 1024);
        yield* p.reply(r, words(0));
      }
    });
    expect(ms).toBeCloseTo(0.48 + 2 * 0.06 + (5120 * 271) / 1e6, 6);
  });

  it('a refused move costs its trap and no copy', () => {
    const { ms } = measure(words(7), function* (p) {
      for (;;) {
        const r = yield* p.receive();
        yield* p.moveTo(r, 0, 0, 20_000);
        yield* p.moveBytesFrom(r, 9, 20_000);
        yield* p.reply(r, words(0));
      }
    });
    expect(ms).toBeCloseTo(0.48 + 2 * 0.06, 6);
  });

  it('a procedure has no Receive of its own', () => {
    const { kernelMs } = measure(words(7), function* (p) {
      p.serve(function* () {
        return words(0);
      });
    });
    expect(kernelMs).toBeCloseTo(0.12, 6);
  });

  it('on a machine without costs no virtual time passes, and a transaction is two events', () => {
    const w = new World({ hosts: 1 });
    const server = w.host(0).process('server', replies(segment(16_384)));
    w.after(1e9);
    const [ns, events] = [w.engine.nowNs, w.engine.events];
    let endedNs = -1;
    w.host(0).process('client', function* (p) {
      for (let i = 0; i < 1000; i++) yield* p.send(server.process.id, words(7));
      endedNs = w.engine.nowNs;
    });
    w.after(1e9);
    expect(endedNs).toBe(ns);
    expect(w.engine.events - events).toBeLessThan(2010);
  });
});
