/** The board for slot `transport`: options, and how the parts are put together. */
import { ms, seconds } from '@backplane/engine';
import {
  EntitiesOverCalls,
  PeerMonitor,
  ServedCalls,
  ServedProcedures,
  type TransportTraits,
  TypedTransport,
  WatchList,
} from '@backplane/rpc-service';
import {
  type Component,
  defineComponent,
  type Internet,
  type Machine,
  type Processors,
} from '@backplane/slots';
import { z } from 'zod';
import { Arrivals } from './arrivals.ts';
import { Client } from './client.ts';
import { Counters } from './counters.ts';
import { Endpoint } from './endpoint.ts';
import { board, wrongDaemons } from './errors.ts';
import { limits, nullProcedure } from './layout.ts';
import { PeerTable, Self } from './lives.ts';
import { ReplyCache } from './reply-cache.ts';
import { Servers } from './servers.ts';
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
  name: board,
  version,
  slot: 'transport',
  contract: 1,
  requires: ['internet', 'processors'],
  speaks: ['sun-rpc'],
  serves: [{ protocol: 'sun-rpc' }],
  capabilities: ['entities'],
  options,
  create: ({ internet, processors }, settings, machine) => assemble(internet, processors, settings, machine),
  *start(transport) {
    (transport as TypedTransport).start();
  },
});

function assemble(
  internet: Internet,
  processors: Processors,
  settings: Settings,
  machine: Machine,
): TypedTransport {
  const { daemons, daemonsMax } = settings;
  if (daemons > daemonsMax) throw wrongDaemons(machine.name, daemons, daemonsMax);
  const counters = new Counters();
  counters.register(machine);
  const self = new Self(machine.host, machine.bootId, machine.engine.nowNs);
  const peers = new PeerTable(machine.bootId);
  const endpoint = new Endpoint(machine, internet, processors, counters, settings.checksum);
  const traits: TransportTraits = { board, limits, pathNs: machine.type.costs.sunRpcPathNs };
  const procedures = new ServedProcedures(board, machine.name, { [nullProcedure]: 'null' });
  const pings = new WatchList(
    machine,
    seconds(settings.pingSeconds),
    (host) => monitor.heardNs(host),
    (host) => client.ping(host),
  );
  const monitor: PeerMonitor = new PeerMonitor({ machine, pings });
  const calls = new ServedCalls({ machine, traits, procedures, monitor, peers, counters });
  const cache = new ReplyCache(machine.host, settings.cachedReplies, seconds(settings.cacheSeconds));
  const servers = new Servers({ machine, self, endpoint, calls, counters, cache }, daemonsMax);
  const backOff = { firstNs: ms(settings.timeoutMs), tries: settings.tries };
  const client: Client = new Client({ machine, endpoint, peers, monitor, counters, backOff });
  endpoint.connect(new Arrivals({ self, peers, monitor, counters, client, servers }));
  const open = (): void => servers.enable(daemons);
  const parts = { machine, traits, courier: client, procedures, peers: monitor, counters, open };
  const transport = new TypedTransport(parts);
  transport.entities = new EntitiesOverCalls(machine, transport);
  return transport;
}
