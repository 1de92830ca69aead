/** Packets written by hand, and a station that sends and receives them. */
import type { Frame } from '@backplane/slots';
import { forged, type LinkNic } from '@backplane/slots/testing';
import { asIpv4, ETHER_TYPES, encodeIpv4, IP_PROTOCOLS } from '@backplane/wire';
import type { Host, World } from './world.ts';

/** Bytes from hexadecimal digits; anything after a bar is a remark. */
export function hex(text: string): Uint8Array {
  const digits = text
    .split('\n')
    .map((line) => line.replace(/\|.*/, '').replaceAll(' ', ''))
    .join('');
  if (!/^([0-9a-f]{2})*$/.test(digits)) throw new Error(`not hexadecimal: ${digits}`);
  return Uint8Array.from(digits.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
}

/** The same digits in words of four bytes, for comparison and for reading. */
export function words(bytes: Uint8Array): string {
  const digits = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return (digits.match(/.{1,8}/g) ?? []).join(' ');
}

/** A host without a kernel: says what the test says and keeps what it hears. */
export class Hand {
  readonly nic: LinkNic;
  readonly heard: Frame[] = [];
  readonly #world: World;

  constructor(world: World, number: number) {
    this.#world = world;
    this.nic = world.probe(`hand${number}`, number);
    this.nic.receive(ETHER_TYPES.spriteRpc, (frame) => this.heard.push(frame));
  }

  say(to: Host, bytes: Uint8Array | string): void {
    const payload = typeof bytes === 'string' ? hex(bytes) : bytes;
    this.nic.send(forged(this.nic, to.nic.address, ETHER_TYPES.spriteRpc, payload));
  }

  /** The same bytes as an internet datagram that has arrived. */
  datagram(to: Host, payload: Uint8Array): Frame {
    const source = asIpv4(0x0a010000 + (this.nic.address % 256));
    const destination = asIpv4(0x0a010000 + to.id);
    const protocol = IP_PROTOCOLS.spriteRpc;
    const datagram = encodeIpv4({ source, destination, protocol, identification: 0, payload });
    return forged(this.nic, to.nic.address, ETHER_TYPES.ipv4, datagram);
  }

  /** Lets the world go on for a while and gives what was heard meanwhile, as words. */
  listen(forNs: number): string[] {
    this.heard.length = 0;
    this.#world.run(this.#world.engine.nowNs + forNs);
    return this.heard.map((frame) => words(frame.payload()));
  }
}
