/**
 * How many frames a second of processor time carries: the transport on machines that cost nothing, with the wire of the
 * tests (10 Mb/s timing, no collisions, one event for each frame and turn of an interface).
 *
 *   npx esbuild packages/rpc-sprite/bench/rpc8k.ts --bundle --platform=node --format=esm \
 *     --conditions=@backplane/source --outfile=/tmp/rpc8k.mjs && node /tmp/rpc8k.mjs [hosts thinkMs virtualSeconds]
 *
 * Workload: each host calls another one, drawn for each call, after an exponential pause; 128 bytes go, 8192 come back in
 * six frames. One line of JSON.
 */
import { ms, seconds, sleep, type Task } from '@backplane/engine';
import { work } from '@backplane/rpc-service/testing';
import type { Payload } from '@backplane/slots';
import { kindOf } from '@backplane/slots/testing';
import { World } from '../test/world.ts';

/** The part of Node that a measurement needs. */
declare const process: {
  readonly argv: readonly string[];
  cpuUsage(since?: CpuUsage): CpuUsage;
  readonly stdout: { write(text: string): void };
};
interface CpuUsage {
  readonly user: number;
  readonly system: number;
}

const [hosts = 10, thinkMs = 100, virtualSeconds = 2000] = process.argv.slice(2).map(Number);

const world = new World();
world.link.records = false;
const request: Payload = { parameters: new Uint8Array(128), data: new Uint8Array(0) };
const reply: Payload = { parameters: new Uint8Array(0), data: new Uint8Array(8192) };
const all = Array.from({ length: hosts }, (_, i) => world.host(`host${i}`));
let calls = 0;
let failures = 0;
for (const host of all) {
  host.setUp((transport) =>
    transport.serve(work, function* (): Task<Payload> {
      return reply;
    }),
  );
  const random = host.machine.random('think');
  const others = all.filter((other) => other !== host);
  host.spawn(
    'client',
    (function* (): Task<void> {
      for (;;) {
        if (thinkMs > 0) yield* sleep(Math.round(random.exponential(ms(thinkMs))));
        if ((yield* kindOf(host.transport.call(random.pick(others).id, work, request))) === 'ok') calls++;
        else failures++;
      }
    })(),
  );
}
const warmUp = Math.max(1, virtualSeconds / 10);
world.run(seconds(warmUp));
const sent = (): number => all.reduce((sum, host) => sum + host.meters.read('rpc.sentPackets'), 0);
const before = { frames: sent(), calls, events: world.engine.events, cpu: process.cpuUsage() };
world.run(seconds(warmUp + virtualSeconds));
const { user, system } = process.cpuUsage(before.cpu);
const cpuSeconds = (user + system) / 1e6;
const frames = sent() - before.frames;
process.stdout.write(
  `${JSON.stringify({
    hosts,
    thinkMs,
    virtualSeconds,
    calls: calls - before.calls,
    failures,
    frames,
    events: world.engine.events - before.events,
    cpuSeconds,
    framesPerCpuSecond: Math.round(frames / cpuSeconds),
    usPerFrame: +((cpuSeconds / frames) * 1e6).toFixed(2),
    virtualSecondsPerCpuSecond: +(virtualSeconds / cpuSeconds).toFixed(1),
  })}\n`,
);
