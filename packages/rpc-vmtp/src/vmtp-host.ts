/**
 * VMTP as one boot of a machine has it: the capability `entities` of the slot, and what the transport between kernels is built
 * on. Entities mint their numbers from the host's address and a counter; the counter begins where the clock stands at boot,
 * so that no life of the host mints the numbers of an earlier one.
 *
 *   discriminators   whose
 *   1                the kernel: see `kernelEntity`
 *   2                the manager
 *   4096 and above   minted, 1024 for each second since the epoch: they come round after three days
 */
import { type Task, tasks } from '@backplane/engine';
import {
  type EntityId,
  type EntityMoves,
  type EntityService,
  type EntityTransport,
  internetAddress,
  type Machine,
  type Message,
  message,
  type Probed,
  type Processors,
  ReplyCode,
  type Response,
  type SendOptions,
  type Transport,
  type Undo,
} from '@backplane/slots';
import { Arrivals } from './arrivals.ts';
import type { Carrier, Place, Receiver } from './carrier.ts';
import type { ClientParts } from './client-parts.ts';
import { ClientRecord } from './client-record.ts';
import { ClientRecords } from './client-records.ts';
import type { Counters } from './counters.ts';
import { EntityBlocks } from './entity-blocks.ts';
import { EntityServices } from './entity-services.ts';
import { notHere } from './errors.ts';
import { Finder } from './finder.ts';
import { Manager } from './manager.ts';
import { decodeMoved, encodeMoved, movedRequest } from './moved-entity.ts';
import { Notices } from './notices.ts';
import {
  discriminatorMax,
  entityNumber,
  entityTypes,
  managerDiscriminator,
  vmtpManagerGroup,
  wellKnownGroup,
} from './numbers.ts';
import { Output } from './output.ts';
import { isSound } from './packet-group.ts';
import { type Resident, Residents } from './residents.ts';
import { type Route, Routes } from './routes.ts';
import { Servers } from './servers.ts';

const mintedFrom = 4096;
const mintedPerSecond = 1024;

export interface HostSettings {
  readonly checksum: boolean;
  readonly streaming: boolean;
  readonly allocation: 'address' | 'block';
}

/** What VMTP has besides what the slot asks for. */
export interface StreamingEntities extends EntityTransport {
  /**
   * Several transactions of `from` with one server, in that order, without waiting for the response to one before the next is
   * sent. Where that is not possible (a group, an entity of this host, a host without streams), one after the other. Returns
   * when all have ended: the outcomes, in the order of the requests.
   */
  stream(
    from: EntityId,
    to: EntityId,
    requests: readonly Message[],
    options?: SendOptions,
  ): Task<readonly Response[]>;
}

/** The entities of a transport of this package. */
export const streamingEntities = ({ entities }: Transport): StreamingEntities | undefined =>
  entities instanceof VmtpHost ? entities : undefined;

const unsound = (to: EntityId): Response => ({
  from: to,
  message: message({ code: ReplyCode.protocolError }),
});

export class VmtpHost implements StreamingEntities {
  static {
    tasks(VmtpHost);
  }

  readonly moves: EntityMoves = {
    take: (entity) => this.#take(entity),
    attach: (entity, service, state) => this.#restore(entity, service, state),
  };
  readonly carrier: Carrier;
  readonly servers: Servers;
  readonly #machine: Machine;
  /** Where entities get their numbers from, if not from the host's address. */
  readonly #blocks: EntityBlocks | null;
  readonly #routes: Routes;
  readonly #residents: Residents;
  readonly #services: EntityServices;
  readonly #finder: Finder;
  readonly #clientParts: ClientParts;
  readonly #clients: ClientRecords = new ClientRecords();
  /** Records of the host's own, for probes. */
  readonly #free: ClientRecord[] = [];
  #minted: number;

  constructor(
    machine: Machine,
    processors: Processors,
    counters: Counters,
    carrierFor: (receiver: Receiver) => Carrier,
    { checksum, streaming, allocation }: HostSettings,
  ) {
    this.#machine = machine;
    this.#minted = (machine.bootId * mintedPerSecond) % (discriminatorMax + 1 - mintedFrom);

    const arrivals = new Arrivals(machine, processors, counters, checksum);
    const carrier = carrierFor(arrivals);
    const output = new Output(machine, processors, carrier, counters, checksum);
    const routes = new Routes(machine.type.costs.transmitTurnaroundNs);
    const notices = new Notices(output, counters);
    const residents = new Residents(machine.name, carrier);
    const managerEntity = this.#number(0, managerDiscriminator);
    const clients = this.#clients;
    const finder = (): Finder => this.#finder;
    const services: EntityServices = new EntityServices({
      machine: machine.name,
      mint: () => this.mint(),
      attach: (entity, service) => this.#attachCharged(entity, service),
      unanswered: (entity) => servers.unanswered(entity).filter((r) => !r.isDatagram).length,
    });
    // Written out: an object that begins with `...` is of a kind of its own on each host, and every look into it is slow.
    const servers: Servers = new Servers({
      machine,
      carrier,
      output,
      routes,
      notices,
      residents,
      counters,
      manager: managerEntity,
      clients,
      finder,
      services,
      streaming,
    });
    this.#clientParts = {
      machine,
      carrier,
      output,
      routes,
      notices,
      residents,
      counters,
      servers: () => servers,
      finder,
      streaming,
    };
    const take = (): ClientRecord => this.#free.pop() ?? this.client(this.mintByAddress());
    const giveBack = (record: ClientRecord): void => void this.#free.push(record);
    const absence = (entity: EntityId): number => residents.absence(entity, machine.engine.nowNs, false);
    const isHere = (entity: EntityId): boolean => this.isHere(entity);
    this.#finder = new Finder({ machine, carrier, routes, counters, isHere, absence, take, giveBack });
    const packetBytes = carrier.packetBytes;
    const blocks = new EntityBlocks({ machine, carrier, output });
    const own = (): ClientRecord => this.client(managerEntity);
    const manager = new Manager({
      machine,
      entity: managerEntity,
      output,
      packetBytes,
      streaming,
      notices,
      residents,
      counters,
      servers,
      clients,
      routes,
      blocks,
      services,
      own,
    });
    arrivals.connect({ manager, managerEntity, servers, clients, routes, residents, notices, blocks });
    this.#blocks = allocation === 'block' ? blocks : null;
    this.carrier = carrier;
    this.servers = servers;
    this.#routes = routes;
    this.#residents = residents;
    this.#services = services;
    this.attachResident({ entity: managerEntity, service: manager, pathNs: 0, isKernel: false });
    this.join(vmtpManagerGroup, managerEntity);
    machine.metrics.register('vmtp.remembered', () => servers.remembered, 'max');
  }

  // ---- numbers ----

  mint(): EntityId {
    return this.#blocks?.mint() ?? this.mintByAddress();
  }

  /** A number that tells this host: what kernels use among themselves, and all there is without blocks. */
  mintByAddress(): EntityId {
    return this.#number(0, this.#discriminator());
  }

  /** At boot: returns when there are numbers to mint. */
  *start(): Task<void> {
    if (this.#blocks !== null) yield* this.#blocks.win();
  }

  wellKnownGroup(number: number): EntityId {
    return wellKnownGroup(number);
  }

  mintGroup(): EntityId {
    return this.#number(entityTypes.group | entityTypes.unrestricted, this.#discriminator());
  }

  #discriminator(): number {
    this.#minted = (this.#minted + 1) % (discriminatorMax + 1 - mintedFrom);
    return mintedFrom + this.#minted;
  }

  #number(type: number, discriminator: number): EntityId {
    return entityNumber(type, discriminator, internetAddress(this.#machine.host));
  }

  // ---- entities ----

  attach(entity: EntityId, service: EntityService): Undo {
    return this.#services.serve(entity, service) ?? this.#attachCharged(entity, service);
  }

  #attachCharged(entity: EntityId, service: EntityService): Undo {
    const pathNs = this.#machine.type.costs.vmtpPathNs;
    return this.attachResident({ entity, service, pathNs, isKernel: false });
  }

  /** @throws BackplaneError `ENTITY_TAKEN` */
  attachResident(resident: Resident): Undo {
    const { entity } = resident;
    this.#residents.attach(resident);
    this.#routes.forget(entity);
    return () => {
      if (!this.#residents.detach(resident)) return;
      this.#services.forget(entity);
      this.#clients.get(entity)?.stop();
      this.#clients.delete(entity);
    };
  }

  // ---- entities that move ----

  #take(entity: EntityId): ReturnType<EntityMoves['take']> {
    const resident = this.#residents.get(entity);
    if (resident === undefined) throw notHere(this.#machine.name, entity, 'move');
    const { requests: taken, heard } = this.servers.take(entity);
    const own = this.carrier.placeOf(this.#machine.host);
    const requests = taken.map((r) => movedRequest(r, own));
    this.#residents.depart(resident, this.#machine.engine.nowNs);
    this.#services.forget(entity);
    const transaction = this.#clients.get(entity)?.depart() ?? null;
    this.#clients.delete(entity);
    for (const request of taken) request.state = 'over';
    this.servers.follow(taken);
    return { state: encodeMoved({ transaction, heard, requests }), requests: taken };
  }

  #restore(entity: EntityId, service: EntityService, state: Uint8Array): ReturnType<EntityMoves['attach']> {
    const { transaction, heard, requests } = decodeMoved(state, this.carrier.placeOf(this.#machine.host));
    const undo = this.attach(entity, service);
    if (transaction !== null)
      this.#clients.set(entity, new ClientRecord(entity, this.#clientParts, transaction));
    const resident = this.#residents.get(entity);
    if (resident === undefined) throw notHere(this.#machine.name, entity, 'arrive');
    for (const client of heard) this.servers.heard(resident, client);
    return { undo, requests: requests.map((r) => this.servers.restore(resident, r)) };
  }

  isHere(entity: EntityId): boolean {
    return this.#residents.get(entity) !== undefined;
  }

  join(group: EntityId, member: EntityId): Undo {
    return this.#residents.join(group, member);
  }

  // ---- transactions ----

  *send(from: EntityId, to: EntityId, request: Message, options: SendOptions = {}): Task<Response> {
    if (!this.isHere(from)) throw notHere(this.#machine.name, from, 'send');
    if (!isSound(request)) return unsound(to);
    const pathNs = this.#machine.type.costs.vmtpPathNs;
    return yield* this.client(from).transact(to, request, { ...options, pathNs });
  }

  *stream(
    from: EntityId,
    to: EntityId,
    requests: readonly Message[],
    options: SendOptions = {},
  ): Task<readonly Response[]> {
    if (!this.isHere(from)) throw notHere(this.#machine.name, from, 'send');
    const pathNs = this.#machine.type.costs.vmtpPathNs;
    if (!requests.every(isSound)) return requests.map(() => unsound(to));
    return yield* this.client(from).stream(to, requests, { ...options, pathNs });
  }

  *nextResponse(from: EntityId, waitNs: number): Task<Response | undefined> {
    return yield* this.client(from).next(waitNs);
  }

  *probe(entity: EntityId): Task<Probed> {
    if (this.#residents.hosts(entity) || this.#clients.get(entity) !== undefined) return 'here';
    return yield* this.#finder.probe(entity);
  }

  routeTo(place: Place): Route {
    return this.#routes.at(place);
  }

  /** The entity's record as a client. */
  client(entity: EntityId): ClientRecord {
    let record = this.#clients.get(entity);
    if (record === undefined) {
      record = new ClientRecord(entity, this.#clientParts);
      this.#clients.set(entity, record);
    }
    return record;
  }
}
