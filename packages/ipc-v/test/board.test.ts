import { ms, seconds, sleep } from '@backplane/engine';
import { MessageFlag, message, ReplyCode } from '@backplane/slots';
import { describe, expect, it } from 'vitest';
import { ipcV } from '../src/index.ts';
import { Memory } from './memory.ts';
import { code, World, words } from './world.ts';

describe('the board', () => {
  it('refuses options that are none', () => {
    expect(() => ipcV({ queuedMax: 0 })).toThrow(/queuedMax/);
    expect(() => ipcV({ length: 3 } as never)).toThrow(/length/);
  });

  it('counts', () => {
    const w = new World();
    const [here, far] = [w.host(0), w.host(1)];
    const group = here.ipc.mintGroup();
    const server = here.process('server', function* (p) {
      let r = yield* p.receive();
      yield* p.moveBytesTo(r, 0, new Uint8Array(70));
      yield* p.moveBytesTo(r, 99, new Uint8Array(70));
      yield* p.reply(r, words(0));
      r = yield* p.receive();
      yield* p.forward(r, other.process.id, r.message);
    });
    const other = far.process('other', function* (p) {
      for (;;) yield* p.reply(yield* p.receive(), words(0));
    });
    other.process.join(group);
    const client = here.process('client', undefined, new Memory(1024));
    w.run(function* () {
      const { send } = client.process;
      const to = server.process.id;
      yield* send.call(client.process, to, words(1), {
        grant: { read: true, write: true, address: 0, bytes: 100 },
      });
      yield* send.call(client.process, to, words(1));
      yield* send.call(client.process, group, message({ code: 1, flags: MessageFlag.manyResponses }));
    });
    const metric = (name: string) => here.machine.metric(`ipc.${name}`);
    expect(metric('sends')).toBe(3);
    expect(metric('localSends')).toBe(2);
    expect(metric('groupSends')).toBe(1);
    expect(metric('receives')).toBe(2);
    expect(metric('forwards')).toBe(1);
    expect([metric('moves'), metric('movedBytes'), metric('refused')]).toEqual([1, 70, 1]);
    expect(metric('processes')).toBe(3);
  });

  it('ends every process at a halt, and who waits elsewhere has the answer when it returns', () => {
    const w = new World();
    const board = ipcV();
    const far = w.host(1);
    const server = far.process('server', function* (p) {
      yield* p.receive();
      yield* sleep(seconds(100));
    });
    const { process, scope } = w.host(0).process('client');
    const threads = [scope.spawn('send', process.send(server.process.id, words(1)))];
    w.after(ms(20));
    w.run(() => board.halt?.(far.ipc) ?? (function* () {})());
    expect(far.machine.metric('ipc.processes')).toBe(0);
    w.after(ms(2));
    for (const t of threads) expect(code(w.run(() => t.join()))).toBe(ReplyCode.nonexistentEntity);
  });
});
