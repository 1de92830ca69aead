/** The board for slot `transport`: options, and how the parts are put together. */
import { seconds } from '@backplane/engine';
import {
  PeerMonitor,
  ServedCalls,
  ServedProcedures,
  type TransportTraits,
  TypedTransport,
  WatchList,
} from '@backplane/rpc-service';
import {
  type Component,
  chooseInterface,
  defineComponent,
  type Internet,
  type Locator,
  type Machine,
  type Nic,
  type Processors,
} from '@backplane/slots';
import { z } from 'zod';
import { type Carrier, EthernetCarrier, InternetCarrier, type Receiver } from './carrier.ts';
import { Counters } from './counters.ts';
import { board, internetMissing, routeTooNarrow } from './errors.ts';
import { KernelClient } from './kernel-client.ts';
import { kernelEntity, kernelGroup, kernelLimits, nullProcedure } from './kernel-messages.ts';
import { KernelServer } from './kernel-server.ts';
import { limits } from './layout.ts';
import { PeerTable } from './lives.ts';
import { version } from './version.ts';
import { VmtpHost } from './vmtp-host.ts';

const options = z.strictObject({
  carrier: z
    .enum(['ethernet', 'internet'])
    .default('ethernet')
    .describe(
      'what carries the packets: raw Ethernet frames (type 0x805C), or internet datagrams (protocol 81), where groups are everybody',
    ),
  nic: z
    .string()
    .default('')
    .describe('name of the interface for the Ethernet carrier; empty: the only one that the machine has'),
  checksum: z
    .boolean()
    .default(false)
    .describe(
      "compute VMTP's checksum; false: send none, as V's hosts did on one Ethernet, whose frames have their own",
    ),
  streaming: z
    .boolean()
    .default(true)
    .describe('take and issue runs of messages; false: say streamingNotSupported, one transaction at a time'),
  allocation: z
    .enum(['address', 'block'])
    .default('address')
    .describe(
      "where entities get their numbers from: the host's address and a counter, or blocks of 256 to which no host objects",
    ),
  pingSeconds: z
    .number()
    .positive()
    .default(30)
    .describe('after how long a silence a watched host is pinged, in seconds'),
  clients: z.int().min(1).max(1000).default(64).describe('calls to other kernels under way at once'),
  workers: z
    .int()
    .min(1)
    .max(1000)
    .default(64)
    .describe('threads that execute the calls of other kernels, made at most, on demand'),
});
type Settings = z.output<typeof options>;

export interface VmtpOptions {
  readonly carrier?: 'ethernet' | 'internet';
  readonly nic?: string;
  readonly checksum?: boolean;
  readonly streaming?: boolean;
  readonly allocation?: 'address' | 'block';
  readonly pingSeconds?: number;
  readonly clients?: number;
  readonly workers?: number;
}

/** Frames and datagrams do not meet: both ends must use the same carrier. */
const protocol = ({ carrier }: Settings): string => (carrier === 'ethernet' ? 'vmtp' : 'vmtp-ip');

export const vmtp: Component<'transport', VmtpOptions> = /* @__PURE__ */ defineComponent({
  name: board,
  version,
  slot: 'transport',
  contract: 1,
  requires: ['nic', 'locator', 'internet?', 'processors'],
  capabilities: ['entities'],
  speaks: (settings) => [protocol(settings)],
  serves: (settings) => [{ protocol: protocol(settings) }],
  options,
  create: (granted, settings, machine) => assemble(granted, settings, machine),
  *start(transport) {
    const own = transport as VmtpTransport; // boundary: made above
    yield* own.entities.start();
    own.start();
  },
});

/** The transport between kernels, with the entities on which it is built. */
class VmtpTransport extends TypedTransport {
  override readonly entities: VmtpHost;

  constructor(parts: ConstructorParameters<typeof TypedTransport>[0], entities: VmtpHost) {
    super(parts);
    this.entities = entities;
  }
}

interface Granted {
  readonly nic: ReadonlyMap<string, Nic>;
  readonly locator: Locator;
  readonly processors: Processors;
  readonly internet: Internet | undefined;
}

function assemble(granted: Granted, settings: Settings, machine: Machine): VmtpTransport {
  const counters = new Counters();
  counters.register(machine);
  const carrierFor = (receiver: Receiver): Carrier => chooseCarrier(granted, settings, machine, receiver);
  const host = new VmtpHost(machine, granted.processors, counters, carrierFor, settings);
  const peers = new PeerTable();
  const traits: TransportTraits = { board, limits: kernelLimits, pathNs: machine.type.costs.vmtpPathNs };
  const procedures = new ServedProcedures(board, machine.name, { [nullProcedure]: 'null' });
  const pings = new WatchList(
    machine,
    seconds(settings.pingSeconds),
    (peer) => monitor.heardNs(peer),
    (peer) => client.startPing(peer),
  );
  const monitor: PeerMonitor = new PeerMonitor({ machine, pings });
  const calls = new ServedCalls({ machine, traits, procedures, monitor, peers, counters });
  const server = new KernelServer({ machine, peers, monitor, counters, calls }, settings.workers);
  const client: KernelClient = new KernelClient(
    { machine, host, peers, monitor, counters },
    settings.clients,
  );
  const entity = kernelEntity(machine.host);
  host.attachResident({ entity, service: server, pathNs: 0, isKernel: true });
  host.join(kernelGroup, entity);
  const open = (): void => server.open();
  const parts = { machine, traits, courier: client, procedures, peers: monitor, counters, open };
  return new VmtpTransport(parts, host);
}

function chooseCarrier(granted: Granted, settings: Settings, machine: Machine, receiver: Receiver): Carrier {
  const carrier =
    settings.carrier === 'ethernet'
      ? new EthernetCarrier(
          chooseInterface({ board, machine: machine.name }, granted.nic, settings.nic),
          granted.locator,
          receiver,
        )
      : overInternet(granted.internet, machine, receiver);
  if (carrier.packetBytes < limits.basicPacketBytes)
    throw routeTooNarrow(machine.name, carrier.packetBytes, limits.basicPacketBytes);
  return carrier;
}

function overInternet(internet: Internet | undefined, machine: Machine, receiver: Receiver): InternetCarrier {
  if (internet === undefined) throw internetMissing(machine.name);
  return new InternetCarrier(internet, receiver, (body) => machine.scope.spawn('vmtp output', body));
}
