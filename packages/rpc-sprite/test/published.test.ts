/** Published figures for a Sun-3/75 (Welch 1990), from the machine's primitives alone. */
import type { Task } from '@backplane/engine';
import type { Payload } from '@backplane/slots';
import { describe, expect, it } from 'vitest';
import { echo, send } from '../src/index.ts';
import { type Host, sun3, World, type WorldOptions } from './world.ts';

const none: Payload = { parameters: new Uint8Array(0), data: new Uint8Array(0) };
const dataOf = (bytes: number): Payload => ({ parameters: none.parameters, data: new Uint8Array(bytes) });

interface Measured {
  readonly callNs: number;
  readonly serverBusyNs: number;
}

/** Mean over some calls in a row, after the first ones. */
function measure(options: WorldOptions, call: (client: Host, server: Host) => Task<unknown>): Measured {
  const world = new World({ costs: sun3, ...options });
  const client = world.host('client');
  const server = world.host('server');
  const calls = 20;
  return world.drive(function* () {
    const thread = client.spawn(
      'calls',
      (function* (): Task<Measured> {
        for (let i = 0; i < 3; i++) yield* call(client, server);
        const startNs = world.engine.nowNs;
        const busyNs = server.processor.busyNs();
        for (let i = 0; i < calls; i++) yield* call(client, server);
        return {
          callNs: (world.engine.nowNs - startNs) / calls,
          serverBusyNs: (server.processor.busyNs() - busyNs) / calls,
        };
      })(),
    );
    return yield* thread.join();
  });
}

const within = (measured: number, published: number, share: number): void => {
  expect(measured).toBeGreaterThan(published * (1 - share));
  expect(measured).toBeLessThan(published * (1 + share));
};

const nullCall = (client: Host, server: Host): Task<unknown> => client.transport.call(server.id, echo, none);

describe('sprite rpc, Sun-3/75 on 10 Mb/s', () => {
  it('takes 2.45 ms for a call without contents', () => {
    const { callNs, serverBusyNs } = measure({}, nullCall);
    within(callNs / 1e6, 2.45, 0.05);
    within(serverBusyNs / 1e6, 1.14, 0.05);
  });

  it('takes 2.19 ms without host monitoring', () => {
    within(measure({ rpc: { hostMonitor: false } }, nullCall).callNs / 1e6, 2.19, 0.05);
  });

  it('takes 7.2 ms for 4 KB, in three fragments', () => {
    const contents = dataOf(4096);
    within(measure({}, (c, s) => c.transport.call(s.id, send, contents)).callNs / 1e6, 7.2, 0.1);
  });

  it('moves about 720 KB/s in calls of 16 KB, in twelve fragments', () => {
    const contents = dataOf(16384);
    const { callNs } = measure({}, (c, s) => c.transport.call(s.id, send, contents));
    within(16 / (callNs / 1e9), 720, 0.1);
  });
});
