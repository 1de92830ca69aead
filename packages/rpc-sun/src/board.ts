/** The board for slot `transport`: options, and how the parts are put together. */
import { ms, seconds } from '@backplane/engine';
import {
  type Component,
  defineComponent,
  type HostId,
  type Internet,
  type Machine,
  type Processors,
} from '@backplane/slots';
import { z } from 'zod';
import { Arrivals } from './arrivals.ts';
import { Client } from './client.ts';
import { Counters } from './counters.ts';
import { Endpoint } from './endpoint.ts';
import { wrongDaemons } from './errors.ts';
import { PeerTable, Self } from './lives.ts';
import { PeerMonitor } from './peer-monitor.ts';
import { ServedProcedures } from './procedures.ts';
import { ReplyCache } from './reply-cache.ts';
import { Servers } from './servers.ts';
import { SunTransport } from './transport.ts';
import { version } from './version.ts';

const options = z.strictObject({
  timeoutMs: z
    .number()
    .positive()
    .max(20_000)
    .default(1100)
    .describe(
      'how long a request waits for its reply before it is sent again, in milliseconds; then doubled',
    ),
  tries: z
    .int()
    .min(1)
    .max(20)
    .default(3)
    .describe('silent waits of a call before a null call asks whether the server lives, and null calls then'),
  pingSeconds: z
    .number()
    .positive()
    .default(30)
    .describe('after how long a silence a watched host is pinged, in seconds'),
  daemons: z.int().min(1).max(1000).default(4).describe('server daemons made at boot'),
  daemonsMax: z.int().min(1).max(1000).default(64).describe('server daemons made at most, on demand'),
  cachedReplies: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(2048)
    .describe('replies that the duplicate request cache keeps'),
  cacheSeconds: z
    .number()
    .positive()
    .default(120)
    .describe('how long the duplicate request cache keeps a reply, in seconds'),
  checksum: z
    .boolean()
    .default(true)
    .describe('compute UDP checksums; false: send none, as many file servers did'),
});
type Settings = z.output<typeof options>;

export interface SunRpcOptions {
  readonly timeoutMs?: number;
  readonly tries?: number;
  readonly pingSeconds?: number;
  readonly daemons?: number;
  readonly daemonsMax?: number;
  readonly cachedReplies?: number;
  readonly cacheSeconds?: number;
  readonly checksum?: boolean;
}

export const sunRpc: Component<'transport', SunRpcOptions> = /* @__PURE__ */ defineComponent({
  name: '@backplane/rpc-sun',
  version,
  slot: 'transport',
  contract: 1,
  requires: ['internet', 'processors'],
  speaks: ['sun-rpc'],
  serves: [{ protocol: 'sun-rpc' }],
  options,
  create: ({ internet, processors }, settings, machine) => assemble(internet, processors, settings, machine),
  *start(board) {
    (board as SunTransport).start();
  },
});

function assemble(
  internet: Internet,
  processors: Processors,
  settings: Settings,
  machine: Machine,
): SunTransport {
  const { daemons, daemonsMax } = settings;
  if (daemons > daemonsMax) throw wrongDaemons(machine.name, daemons, daemonsMax);
  const { engine } = machine;
  const counters = new Counters();
  counters.register(machine);
  const self = new Self(machine.host, machine.bootId, engine.nowNs);
  const peers = new PeerTable(machine.bootId);
  const endpoint = new Endpoint(machine, internet, processors, counters, settings.checksum);
  const procedures = new ServedProcedures(machine.name);
  const monitor: PeerMonitor = new PeerMonitor(
    machine,
    peers,
    seconds(settings.pingSeconds),
    (host: HostId) => client.ping(host),
  );
  const cache = new ReplyCache(machine.host, settings.cachedReplies, seconds(settings.cacheSeconds));
  const servers = new Servers({ machine, self, endpoint, monitor, counters, procedures, cache }, daemonsMax);
  const backOff = { firstNs: ms(settings.timeoutMs), tries: settings.tries };
  const client: Client = new Client({ machine, endpoint, peers, monitor, counters, backOff });
  endpoint.connect(new Arrivals({ engine, self, peers, monitor, counters, client, servers }));
  return new SunTransport({ machine, client, servers, procedures, peers: monitor, counters, daemons });
}
