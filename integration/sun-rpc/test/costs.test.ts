/** What a call costs on two Sun-3/75, from the primitives of the machine alone. */
import { Cluster } from '@backplane/chassis';
import { ms, type Task } from '@backplane/engine';
import { ethernet, ethernetInterface } from '@backplane/hw-ethernet';
import { sun3x75 } from '@backplane/hw-machines';
import { processors } from '@backplane/hw-processor';
import { arpLocator } from '@backplane/locator-arp';
import { ip } from '@backplane/net-ip';
import { spriteRpc } from '@backplane/rpc-sprite';
import { sunRpc } from '@backplane/rpc-sun';
import { spriteScheduler } from '@backplane/scheduler-sprite';
import {
  defineKernel,
  type KernelSpec,
  type Payload,
  type PayloadCodec,
  type Procedure,
} from '@backplane/slots';
import { describe, expect, it } from 'vitest';

const bare: PayloadCodec<Payload> = { encode: (value) => value, decode: (payload) => payload };
const swallow: Procedure<Payload, Payload> = { id: 1001, name: 'swallow', request: bare, reply: bare };
const noBytes = new Uint8Array(0);

/** Nanoseconds that a call takes, once the hosts know each other. */
function callNs(boards: KernelSpec, dataBytes: number): number {
  const kernel = defineKernel('costs', {
    processors: processors(),
    nic: ethernetInterface(),
    scheduler: spriteScheduler(),
    locator: arpLocator(),
  }).with(boards);
  const machine = (name: string) => ({ name, type: sun3x75, role: name, kernel });
  const cluster = new Cluster({ medium: ethernet(), machines: [machine('client'), machine('server')] });
  const [client, server] = [cluster.machine('client'), cluster.machine('server')];
  const calls = 20;
  return cluster.drive(
    'costs',
    (function* (): Task<number> {
      yield* cluster.bootAll();
      server.board('transport').serve(swallow, function* (): Task<Payload> {
        return { parameters: noBytes, data: noBytes };
      });
      const thread = client.scope.spawn(
        'caller',
        (function* (): Task<number> {
          const request = { parameters: noBytes, data: new Uint8Array(dataBytes) };
          const transport = client.board('transport');
          yield* transport.call(server.host, swallow, request);
          const startNs = cluster.engine.nowNs;
          for (let i = 0; i < calls; i++) yield* transport.call(server.host, swallow, request);
          return (cluster.engine.nowNs - startNs) / calls;
        })(),
      );
      return yield* thread.join();
    })(),
  );
}

const sun: KernelSpec = { transport: sunRpc(), internet: ip() };
const sunWithoutChecksums: KernelSpec = { transport: sunRpc({ checksum: false }), internet: ip() };
const sprite: KernelSpec = { transport: spriteRpc() };

describe('a call on two Sun-3/75', () => {
  it('takes longer by Sun RPC than by Sprite RPC', () => {
    const ratio = callNs(sun, 0) / callNs(sprite, 0);
    expect(ratio).toBeGreaterThan(1.2);
    expect(ratio).toBeLessThan(1.6);
  });

  it('takes the checksum of its bytes on both sides', () => {
    const difference = callNs(sun, 8192) - callNs(sunWithoutChecksums, 8192);
    const sumNs = sun3x75.costs.checksumNsPerByte * 8192;
    expect(difference).toBeGreaterThan(2 * sumNs);
    expect(difference).toBeLessThan(2 * sumNs + ms(1));
  });
});
