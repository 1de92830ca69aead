/** A host without a kernel: messages written by hand from the specification, and what comes back. */
import type { HostId } from '@backplane/slots';
import { asIpv4, BROADCAST_IPV4, ByteReader, ByteWriter, decodeUdp, encodeUdp } from '@backplane/wire';
import { passNs } from './switch.ts';
import type { Host, World } from './world.ts';

const address = (host: number) => (host === 0 ? BROADCAST_IPV4 : asIpv4(0x0a01_0000 + host));

/** Words of 32 bits, and bytes as they are. */
export const message = (...parts: readonly (number | Uint8Array)[]): Uint8Array => {
  const to = new ByteWriter();
  for (const part of parts) {
    if (typeof part === 'number') to.u32(part);
    else to.bytes(part);
  }
  return to.finish();
};

/** Length in front, zeros behind. */
export const opaque = (...bytes: readonly number[]): Uint8Array =>
  new ByteWriter().opaque(Uint8Array.from(bytes)).finish();

export const wordsOf = (bytes: Uint8Array): number[] => {
  const from = new ByteReader(bytes);
  const words: number[] = [];
  while (from.remaining >= 4) words.push(from.u32());
  return words;
};

/** Program numbers, and what AUTH_UNIX says of a host named "hand". */
export const calls = 0x2042_4b01;
export const questions = 0x2042_4b02;
export const unix = (bootId: number): Uint8Array => {
  const hand = [...'hand'].map((c) => c.charCodeAt(0));
  const body = message(bootId, opaque(...hand), 0, 0, 0);
  return message(1, body.length, body);
};
export const short = (serverBoot: number, bootedNs: number, client: number, clientBoot: number): Uint8Array =>
  message(2, 20, serverBoot, 570_067_200 + Math.floor(bootedNs / 1e9), bootedNs % 1e9, client, clientBoot);
export const none: Uint8Array = message(0, 0);

export class Hand {
  readonly #world: World;
  readonly #number: number;
  /** RPC messages that came, oldest first. */
  readonly heard: Uint8Array[] = [];

  constructor(world: World, number: number) {
    this.#world = world;
    this.#number = number;
    world.net.internet(number).receive(17, ({ from, payload }) => {
      const route = { source: address(from), destination: address(number) };
      const udp = decodeUdp(payload, route) ?? decodeUdp(payload, { ...route, destination: address(0) });
      if (udp !== undefined) this.heard.push(udp.payload);
    });
  }

  get host(): HostId {
    return this.#number as HostId;
  }

  /** Sends a message to a host's server, and waits for what comes back; its words. */
  ask(to: Host, rpc: Uint8Array): number[] | undefined {
    this.heard.length = 0;
    this.say(to, rpc);
    this.#world.after(10 * passNs);
    const answer = this.heard[0];
    return answer === undefined ? undefined : wordsOf(answer);
  }

  say(to: { readonly id: number }, rpc: Uint8Array, sourcePort = 1023, destinationPort = 1017): void {
    const route = { source: address(this.#number), destination: address(to.id) };
    this.datagram(to, encodeUdp({ sourcePort, destinationPort, payload: rpc }, route));
  }

  datagram(to: { readonly id: number }, bytes: Uint8Array): void {
    this.#world.net.carry(this.#number, to.id, bytes);
  }
}
