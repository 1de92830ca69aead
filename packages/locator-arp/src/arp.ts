/**
 * Address resolution (RFC 826) for Sprite hosts: which station of the segment is host n? The protocol type is Sprite's
 * EtherType 0x0500, and a protocol address of four bytes holds the host identifier.
 *
 *   host      event                             action                                   next
 *   unknown   locate                            broadcast a request, wait                asking
 *   asking    locate                            wait with the others                     asking
 *   asking    reply, or anything that shows it  wake all who wait                        known
 *   asking    timer, tries left                 broadcast again                          asking
 *   asking    timer, none left                  peerDown for all who wait                unknown
 *   known     a request from another station    believe the newer                        known
 *   known     forget                                                                     unknown
 *
 * A request for this host is answered to the station that asked, whose own address is noted on the way; a request for
 * somebody else only mends an entry that is there (the "merge flag" of RFC 826, packet reception).
 *
 * Four broadcasts of 500 ms each are Sprite's own (`src/kernel/net/netArp.c`). Lost in a crash: everything.
 */
import { charge, settle, type Task, Timer, tasks, WaitQueue } from '@backplane/engine';
import {
  Busy,
  broadcastAddress,
  Frame,
  type HostId,
  isGroupAddress,
  type Locator,
  type Machine,
  type Nic,
  type Processors,
  type StationAddress,
} from '@backplane/slots';
import {
  ARP_OPERATIONS,
  type ArpMessage,
  arpPacket,
  asMac,
  ETHER_TYPES,
  encodeArp,
  type MacAddress,
} from '@backplane/wire';
import { nobodyAnswers } from './errors.ts';

/** Sprite's table of hosts ends here. */
const hostMax = 199;
/** RFC 826: the hardware type of Ethernet. */
const ethernetHardware = 1;

/** A host that is being asked for. */
class Query {
  /** Brings the station; undefined when nobody answered. */
  readonly answered: WaitQueue<StationAddress | undefined> = new WaitQueue();
  readonly timer: Timer;
  triesLeft: number;

  constructor(machine: Machine, tries: number, expired: () => void) {
    this.triesLeft = tries;
    this.timer = new Timer(machine.scope, 'arp', expired);
  }
}

export class ArpLocator implements Locator {
  static {
    tasks(ArpLocator);
  }

  readonly #machine: Machine;
  readonly #nic: Nic;
  readonly #processors: Processors;
  readonly #tries: number;
  readonly #waitNs: number;
  readonly #known = new Map<HostId, StationAddress>();
  readonly #asking = new Map<HostId, Query>();
  #requests = 0;
  #replies = 0;
  #timeouts = 0;
  #malformed = 0;

  constructor(machine: Machine, nic: Nic, processors: Processors, tries: number, waitNs: number) {
    this.#machine = machine;
    this.#nic = nic;
    this.#processors = processors;
    this.#tries = tries;
    this.#waitNs = waitNs;
    this.#known.set(machine.host, nic.address);
    nic.receive(ETHER_TYPES.arp, (frame) =>
      processors.interrupt(machine.type.costs.packetReceiveNs, Busy.network, () => this.#arrive(frame)),
    );
    machine.metrics.register('arp.requests', () => this.#requests);
    machine.metrics.register('arp.replies', () => this.#replies);
    machine.metrics.register('arp.timeouts', () => this.#timeouts);
    machine.metrics.register('arp.malformed', () => this.#malformed);
  }

  known(host: HostId): StationAddress | undefined {
    return this.#known.get(host);
  }

  *locate(host: HostId): Task<StationAddress> {
    const known = this.#known.get(host);
    if (known !== undefined) return known;
    let query = this.#asking.get(host);
    if (query === undefined) {
      query = new Query(this.#machine, this.#tries, () => this.#expired(host));
      this.#asking.set(host, query);
      query.timer.set(this.#waitNs); // so that the question is asked even if this thread is cancelled here
      charge(this.#machine.type.costs.packetSendNs, Busy.network);
      yield* settle();
      this.#ask(host, query);
    }
    // While the processor was being paid, a frame may have shown the host, or the last try have passed.
    const shown = this.#known.get(host);
    if (shown !== undefined) return shown;
    const station = this.#asking.get(host) === query ? yield* query.answered.wait() : undefined;
    if (station === undefined) throw nobodyAnswers(host);
    return station;
  }

  learn(host: HostId, at: StationAddress): void {
    if (host === this.#machine.host || this.#known.get(host) === at) return;
    this.#known.set(host, at);
    const query = this.#asking.get(host);
    if (query !== undefined) this.#end(host, query, at);
  }

  forget(host: HostId): void {
    if (host !== this.#machine.host) this.#known.delete(host);
  }

  // ---- asking ----

  #ask(host: HostId, query: Query): void {
    if (this.#asking.get(host) !== query) return;
    query.triesLeft--;
    query.timer.set(this.#waitNs);
    this.#requests++;
    this.#send(broadcastAddress, {
      operation: ARP_OPERATIONS.request,
      protocolType: ETHER_TYPES.spriteRpc,
      senderMac: asMac(this.#nic.address),
      senderAddress: this.#machine.host,
      targetMac: asMac(0),
      targetAddress: host,
    });
  }

  #expired(host: HostId): void {
    const query = this.#asking.get(host);
    if (query === undefined) return;
    if (query.triesLeft > 0) this.#fromInterrupt(() => this.#ask(host, query));
    else {
      this.#timeouts++;
      this.#end(host, query, undefined);
    }
  }

  #end(host: HostId, query: Query, station: StationAddress | undefined): void {
    this.#asking.delete(host);
    query.timer.cancel();
    query.answered.wakeAll(station);
  }

  // ---- arrival ----

  /** Every host of the segment hears every question: most are about somebody else, and are read field by field. */
  #arrive(frame: Frame): void {
    const bytes = frame.payload();
    if (!isSound(bytes)) {
      this.#malformed++;
      return;
    }
    const { get } = arpPacket;
    if (get.protocolType(bytes, 0) !== ETHER_TYPES.spriteRpc) return;
    const sender = get.senderAddress(bytes, 0) as HostId; // boundary: a number off the wire that was checked
    const asked = get.operation(bytes, 0) === ARP_OPERATIONS.request;
    const forUs = asked
      ? get.targetAddress(bytes, 0) === this.#machine.host
      : get.targetMac(bytes, 0) === this.#nic.address;
    if (!forUs && !(asked && this.#known.has(sender))) return;
    const station = get.senderMac(bytes, 0);
    this.learn(sender, station);
    if (asked && forUs) this.#fromInterrupt(() => this.#answer(sender, station));
  }

  #answer(sender: HostId, station: MacAddress): void {
    this.#replies++;
    this.#send(station, {
      operation: ARP_OPERATIONS.reply,
      protocolType: ETHER_TYPES.spriteRpc,
      senderMac: asMac(this.#nic.address),
      senderAddress: this.#machine.host,
      targetMac: station,
      targetAddress: sender,
    });
  }

  // ---- sending ----

  #fromInterrupt(send: () => void): void {
    this.#processors.interrupt(this.#machine.type.costs.packetSendNs, Busy.network, send);
  }

  #send(to: StationAddress, message: ArpMessage): void {
    this.#nic.send(new Frame(to, this.#nic.address, ETHER_TYPES.arp, [encodeArp(message)]));
  }
}

/** A question or an answer, about Ethernet and addresses of four bytes, from a single station that says which host it is. */
function isSound(bytes: Uint8Array): boolean {
  if (bytes.length < arpPacket.size) return false;
  const { get } = arpPacket;
  if (get.hardwareType(bytes, 0) !== ethernetHardware) return false;
  if (get.hardwareBytes(bytes, 0) !== 6 || get.protocolBytes(bytes, 0) !== 4) return false;
  const operation = get.operation(bytes, 0);
  if (operation !== ARP_OPERATIONS.request && operation !== ARP_OPERATIONS.reply) return false;
  if (get.protocolType(bytes, 0) !== ETHER_TYPES.spriteRpc) return true;
  const sender = get.senderAddress(bytes, 0);
  return sender >= 1 && sender <= hostMax && !isGroupAddress(get.senderMac(bytes, 0));
}
