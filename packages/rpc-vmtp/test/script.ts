/** A station that says what a test wants, packet by packet, and notes what it is told. */
import {
  type EntityId,
  Frame,
  hostId,
  internetAddress,
  type Message,
  type StationAddress,
} from '@backplane/slots';
import type { LinkNic } from '@backplane/slots/testing';
import { ETHER_TYPES } from '@backplane/wire';
import {
  encodeHeading,
  entityNumber,
  groupStation,
  type Heading,
  notifyVmtpClient,
  notifyVmtpServer,
  Packet,
  packetDataBytes,
  packetGroup,
  packetParts,
  responseCodeName,
  vmtpManagerGroup,
} from '../src/index.ts';
import type { World } from './world.ts';

export class Script {
  readonly nic: LinkNic;
  /** An entity that this station would have minted. */
  readonly entity: EntityId;
  readonly heard: Packet[] = [];
  readonly #world: World;
  #transaction = 100;

  constructor(world: World, number: number) {
    this.#world = world;
    this.nic = world.probe(`script${number}`, number);
    this.entity = entityNumber(0, 77, internetAddress(hostId(number)));
    this.nic.join(groupStation(vmtpManagerGroup));
    this.nic.receive(ETHER_TYPES.v, (frame) => {
      const p = new Packet();
      if (p.read(frame) !== undefined) throw new Error('a host has sent a malformed packet');
      this.heard.push(p);
    });
  }

  /** What was heard since the last time, in short. */
  get said(): string[] {
    return this.heard.splice(0).map(inShort);
  }

  forget(): void {
    this.heard.length = 0;
  }

  /** All packets of a message, or those whose blocks are given. */
  say(to: StationAddress, heading: Heading, m: Message, masks?: readonly number[]): void {
    const head = encodeHeading(heading);
    const packets =
      masks === undefined
        ? packetGroup(head, m, -1, packetDataBytes(1500))
        : masks.map((mask) => packetParts(head, m, mask));
    for (const parts of packets) this.bytes(to, new Frame(0, 0, 0, parts).payload());
    this.#world.after(3_000_000);
  }

  bytes(to: StationAddress, payload: Uint8Array): void {
    this.nic.send(new Frame(to, this.nic.address, ETHER_TYPES.v, [payload]));
  }

  /** A notice in the name of this station's entity. */
  notify(to: StationAddress, m: Message): void {
    const heading = {
      client: this.entity,
      server: vmtpManagerGroup,
      response: false,
      transaction: this.#transaction++,
    };
    this.say(to, heading, m);
  }
}

/** As in `request 5 [3] APG`, `response 5 ok`, `client retry 5 [f]`. */
function inShort(p: Packet): string {
  const m = { control: p.control, segment: p.data };
  const blocks = (mask: number): string => (mask === 0 ? '' : ` [${mask.toString(16)}]`);
  const toClient = notifyVmtpClient.decode(m);
  const toServer = notifyVmtpServer.decode(m);
  const notice = toClient ?? toServer;
  if (!p.response && p.server === vmtpManagerGroup && notice !== undefined)
    return `${toClient ? 'client' : 'server'} ${responseCodeName(notice.code)}${blocks(notice.delivery)}`;
  const asks = (p.flags & 0x40) !== 0 ? ' APG' : '';
  const again = p.retransmitCount > 0 ? ` again ${p.retransmitCount}` : '';
  if (!p.response)
    return `${p.server === vmtpManagerGroup ? 'manager' : 'request'}${blocks(p.delivery)}${asks}${again}`;
  return `response ${responseCodeName(p.code)}${blocks(p.delivery)}${asks}${again}`;
}
