/** Bytes from anybody: a packet or a reason, and never an exception. BACKPLANE_FULL=1 tries fifty times as many. */
import { Engine, type RandomStream } from '@backplane/engine';
import type { Message } from '@backplane/slots';
import { describe, expect, it } from 'vitest';
import {
  ArrivingGroup,
  authProbeEntity,
  createEntity,
  deleteEntity,
  flaws,
  managementCodes,
  modifyService,
  notifyRemoteVmtpClient,
  notifyVmtpClient,
  notifyVmtpServer,
  operationOf,
  Packet,
  probeEntity,
  queryEntity,
  queryGroup,
  queryVmtpNode,
  signalEntity,
  vmtpHeader,
} from '../src/index.ts';
import { arrive, frameOf, golden, unsummed, words } from './hand.ts';

// Packages are written without the types of a host: this is all that their tests want of one.
declare const process: { readonly env: Readonly<Record<string, string | undefined>> };

const full = process.env['BACKPLANE_FULL'] !== undefined;
const rounds = full ? 100_000 : 2_000;
const verdicts: ReadonlySet<string> = new Set([...flaws, 'packet']);

const entityOperations = [createEntity, deleteEntity, queryEntity, signalEntity, modifyService] as const;
const forms: readonly { decode(m: Message): unknown }[] = [
  ...[notifyVmtpClient, notifyVmtpServer, notifyRemoteVmtpClient, probeEntity.request, authProbeEntity],
  ...[queryGroup.reply, queryVmtpNode.reply],
  ...entityOperations.flatMap(({ request, reply }) => [request, reply]),
];

/** What must hold of a packet, and everything that a host may do with it at once. */
function use(packet: Packet): void {
  expect(packet.data.length).toBeLessThanOrEqual(16_384);
  expect(packet.control.length).toBe(32);
  const m = { control: packet.control, segment: packet.data };
  operationOf(m);
  for (const form of forms) form.decode(m);
  if (packet.streamed) return;
  expect(packet.delivery & ~packet.sentBlocks).toBe(0);
  const group = new ArrivingGroup(packet);
  expect(group.add(packet)).toBe('repeated');
  const arrived = group.message();
  if (arrived !== undefined) expect(arrived.segment.length).toBe(packet.segmentBytes);
  expect(group.prefix().length).toBeLessThanOrEqual(packet.segmentBytes);
}

function damaged(random: RandomStream): Uint8Array {
  if (random.chance(0.1)) return Uint8Array.from({ length: random.below(200) }, () => random.below(256));
  const sample = random.pick(Object.values(golden));
  const whole = random.chance(0.7) ? unsummed(sample) : sample.slice();
  const bytes = random.chance(0.8) ? whole : whole.slice(0, random.below(whole.length + 1));
  const flips = random.below(6);
  // Mostly in the header: that is where it hurts.
  for (let i = 0; i < flips && bytes.length > 0; i++) {
    const at = random.below(random.chance(0.9) ? Math.min(64, bytes.length) : bytes.length);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
  }
  if (bytes.length >= 64 && random.chance(0.3)) {
    // Sizes that are nearly right.
    vmtpHeader.set.lengthWords(bytes, 0, Math.max(0, (bytes.length - 68) >> 2) & 0x1fff);
    vmtpHeader.set.segmentBytes(bytes, 0, random.below(17_000));
    vmtpHeader.set.packetDelivery(bytes, 0, random.chance(0.5) ? 1 : random.uint32());
  }
  return bytes;
}

describe('vmtp packets, bytes from anybody', () => {
  it('accepts no golden packet of which one bit was flipped, if it has a checksum', () => {
    const packet = new Packet();
    for (const [name, bytes] of Object.entries(golden)) {
      // The data's part of it is not covered where the header is summed alone.
      const headerAlone = name === 'the same, its header summed alone';
      for (let bit = 0; bit < 8 * bytes.length; bit++) {
        if (headerAlone && bit >= 512 && bit < 8 * (bytes.length - 4)) continue;
        const flipped = bytes.slice();
        flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (0x80 >> (bit & 7));
        const verdict = arrive(flipped, packet);
        if (verdict === 'packet' || !verdicts.has(verdict)) expect.fail(`${name}, bit ${bit}: ${verdict}`);
      }
    }
  });

  it('takes each flip of a packet without a checksum for a packet or names a flaw', () => {
    const packet = new Packet();
    const seen = new Map<string, number>();
    for (const bytes of Object.values(golden)) {
      for (let bit = 0; bit < 8 * Math.min(80, bytes.length); bit++) {
        const flipped = unsummed(bytes);
        flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (0x80 >> (bit & 7));
        const verdict = arrive(flipped, packet);
        seen.set(verdict, (seen.get(verdict) ?? 0) + 1);
        if (verdict === 'packet') use(packet);
      }
    }
    expect([...seen.keys()].every((verdict) => verdicts.has(verdict))).toBe(true);
    // Users' bytes, transactions, flags.
    expect(seen.get('packet')).toBeGreaterThan(1000);
  });

  it(`reads ${rounds} requests about entities as what they say, or as none, whatever they hold`, () => {
    const seed = 62;
    const random = new Engine({ seed }).random('bodies');
    const codeWords = [
      ...[managementCodes.createEntity, managementCodes.deleteEntity, managementCodes.queryEntity],
      ...[managementCodes.signalEntity, managementCodes.modifyService, managementCodes.authProbeEntity],
    ];
    let read = 0;
    for (let i = 0; i < rounds; i++) {
      const control = Uint8Array.from({ length: 32 }, () => random.below(256));
      const codeWord = random.pick(codeWords);
      for (let k = 0; k < 4; k++) control[k] = (codeWord >>> (24 - 8 * k)) & 0xff;
      const segment = Uint8Array.from({ length: random.chance(0.5) ? 0 : 4 * random.below(30) }, () =>
        random.below(256),
      );
      const m = { control, segment };
      const about = `seed ${seed}, round ${i}: ${words(control)}`;
      for (const { request } of [...entityOperations, { request: authProbeEntity }]) {
        const value = request.decode(m);
        if (value === undefined) continue;
        read++;
        // What was read says the same again.
        const again = (request.encode as (value: unknown) => Message)(value);
        expect(request.decode(again), about).toEqual(value);
        if (request === modifyService.request) expect(again.segment, about).toEqual(segment);
      }
      const described = queryEntity.reply.decode(m);
      expect(described !== undefined, about).toBe(segment.length === 0 || segment.length === 24);
    }
    expect(read).toBeGreaterThan(rounds / 2);
  });

  it(`never throws on ${rounds} damaged packets, in one part or many`, () => {
    const seed = 61;
    const random = new Engine({ seed }).random('fuzz');
    const packet = new Packet();
    const seen = new Map<string, number>();
    for (let i = 0; i < rounds; i++) {
      const bytes = damaged(random);
      const about = (): string => `seed ${seed}, round ${i}: ${words(bytes.subarray(0, 80))}`;
      try {
        const verdict = arrive(bytes, packet);
        seen.set(verdict, (seen.get(verdict) ?? 0) + 1);
        if (verdict === 'packet') use(packet);
        const [a, b] = [random.below(bytes.length + 1), random.below(bytes.length + 1)];
        const parts = [0, Math.min(a, b), Math.max(a, b)].map((from, k, cuts) =>
          bytes.subarray(from, cuts[k + 1]),
        );
        if ((packet.read(frameOf(parts)) ?? 'packet') !== verdict) expect.fail('in parts it is another');
      } catch (e) {
        throw new Error(about(), { cause: e });
      }
    }
    expect([...seen.keys()].every((verdict) => verdicts.has(verdict))).toBe(true);
    // Both sides of every rule were seen.
    expect(seen.get('packet') ?? 0).toBeGreaterThan(rounds / 20);
    expect(seen.size).toBeGreaterThan(flaws.length / 2);
  });
});
