/** The board for slot `transport`: options, and how the parts are put together. */
import { seconds, type Task } from '@backplane/engine';
import {
  EntitiesOverCalls,
  ServedCalls,
  ServedProcedures,
  type TransportTraits,
  TypedTransport,
} from '@backplane/rpc-service';
import {
  type Component,
  chooseInterface,
  defineComponent,
  type HostId,
  type Internet,
  type Locator,
  type Machine,
  type Nic,
  type Processors,
} from '@backplane/slots';
import { z } from 'zod';
import { Arrivals } from './arrivals.ts';
import { type Carrier, EthernetCarrier, InternetCarrier, leastPacketBytes } from './carrier.ts';
import { Client } from './client.ts';
import { Counters } from './counters.ts';
import { board, internetMissing, routeTooNarrow, wrongServers } from './errors.ts';
import { HostMonitor } from './host-monitor.ts';
import { limits } from './layout.ts';
import { PeerTable } from './lives.ts';
import { Output } from './output.ts';
import { PingList } from './ping-list.ts';
import { serveOwn } from './procedures.ts';
import { Servers } from './servers.ts';
import { version } from './version.ts';

const options = z.strictObject({
  carrier: z
    .enum(['ethernet', 'internet'])
    .default('ethernet')
    .describe(
      'what carries the packets: raw Ethernet frames (type 0x0500), or internet datagrams (protocol 90) with the longer time-outs',
    ),
  nic: z
    .string()
    .default('')
    .describe('name of the interface for the Ethernet carrier; empty: the only one that the machine has'),
  hostMonitor: z
    .boolean()
    .default(true)
    .describe(
      'learn from every request and reply that its sender is alive; false: only pings and failed calls tell',
    ),
  pingSeconds: z
    .number()
    .positive()
    .default(30)
    .describe('how often a watched host is pinged while it is otherwise silent, in seconds'),
  servers: z.int().min(1).max(70).default(2).describe('server processes made at boot'),
  serversMax: z.int().min(1).max(70).default(50).describe('server processes made at most, on demand'),
  nacks: z
    .boolean()
    .default(false)
    .describe('turn a client away with a negative acknowledgement when no server process is free'),
  onNack: z
    .enum(['backOff', 'narrow'])
    .default('backOff')
    .describe(
      'what a client does that was turned away: wait longer, or also use one channel only with that server for 10 s',
    ),
  noTimeouts: z.boolean().default(false).describe('try calls for ever instead of calling the server dead'),
});
type Settings = z.output<typeof options>;

export interface SpriteRpcOptions {
  readonly carrier?: 'ethernet' | 'internet';
  readonly nic?: string;
  readonly hostMonitor?: boolean;
  readonly pingSeconds?: number;
  readonly servers?: number;
  readonly serversMax?: number;
  readonly nacks?: boolean;
  readonly onNack?: 'backOff' | 'narrow';
  readonly noTimeouts?: boolean;
}

/** Frames and datagrams do not meet: both ends must use the same carrier. */
const protocol = ({ carrier }: Settings): string => (carrier === 'ethernet' ? 'sprite-rpc' : 'sprite-rpc-ip');

export const spriteRpc: Component<'transport', SpriteRpcOptions> = /* @__PURE__ */ defineComponent({
  name: board,
  version,
  slot: 'transport',
  contract: 1,
  requires: ['nic', 'locator', 'processors', 'internet?'],
  speaks: (settings) => [protocol(settings)],
  serves: (settings) => [{ protocol: protocol(settings) }],
  capabilities: ['entities'],
  options,
  create: (granted, settings, machine) => assemble(granted, settings, machine),
  *start(transport) {
    (transport as TypedTransport).start();
  },
});

interface Granted {
  readonly nic: ReadonlyMap<string, Nic>;
  readonly locator: Locator;
  readonly processors: Processors;
  readonly internet: Internet | undefined;
}

function assemble(granted: Granted, settings: Settings, machine: Machine): TypedTransport {
  const { processors } = granted;
  if (settings.servers > settings.serversMax)
    throw wrongServers(machine.name, settings.servers, settings.serversMax);
  const counters = new Counters();
  counters.register(machine);
  const peers = new PeerTable();
  const arrivals = new Arrivals(machine, processors, peers, counters, settings.hostMonitor);
  const carrier = chooseCarrier(granted, settings, machine, arrivals);
  const output = new Output(machine, processors, carrier, peers, counters);
  const traits: TransportTraits = { board, limits, pathNs: machine.type.costs.spriteRpcPathNs };
  const procedures = new ServedProcedures(board, machine.name);
  serveOwn(procedures, machine.engine);

  const pings = new PingList(
    machine,
    seconds(settings.pingSeconds),
    (host) => monitor.heardNs(host),
    function* (host: HostId): Task<void> {
      counters.pings++;
      yield* client.echo(host);
      monitor.answered(host, peers.of(host).bootId);
    },
  );
  const monitor: HostMonitor = new HostMonitor(
    { machine, pings, died: (host) => servers.abandon(host) },
    settings.hostMonitor,
  );
  const calls = new ServedCalls({ machine, traits, procedures, monitor, peers, counters });
  const servers: Servers = new Servers(
    { machine, output, peers, monitor, counters, calls },
    { servers: settings.servers, serversMax: settings.serversMax, nacks: settings.nacks },
  );
  const client: Client = new Client(
    { machine, output, peers, monitor, counters, times: carrier.times, noTimeouts: settings.noTimeouts },
    carrier,
    settings.onNack === 'narrow',
  );
  arrivals.connect({ carrier, client, servers });
  const open = (): void => {
    output.activate();
    servers.enable();
  };
  const parts = { machine, traits, courier: client, procedures, peers: monitor, counters, open };
  const transport = new TypedTransport(parts);
  transport.entities = new EntitiesOverCalls(machine, transport);
  return transport;
}

function chooseCarrier(granted: Granted, settings: Settings, machine: Machine, arrivals: Arrivals): Carrier {
  const arrived = arrivals.arrived.bind(arrivals);
  const carrier =
    settings.carrier === 'ethernet'
      ? overEthernet(granted, settings, machine, arrived)
      : overInternet(granted.internet, machine, arrived);
  if (carrier.packetBytes < leastPacketBytes)
    throw routeTooNarrow(machine.name, carrier.packetBytes, leastPacketBytes);
  return carrier;
}

function overEthernet(
  { nic, locator }: Granted,
  settings: Settings,
  machine: Machine,
  arrived: Arrivals['arrived'],
): EthernetCarrier {
  const chosen = chooseInterface({ board, machine: machine.name }, nic, settings.nic);
  return new EthernetCarrier(chosen, locator, arrived);
}

function overInternet(
  internet: Internet | undefined,
  machine: Machine,
  arrived: Arrivals['arrived'],
): InternetCarrier {
  if (internet === undefined) throw internetMissing(machine.name);
  return new InternetCarrier(internet, arrived, (body) => machine.scope.spawn('rpc output', body));
}
