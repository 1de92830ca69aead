/**
 * What managers, programs and replicas say to the directory. All forms are our own; the article says that there is a highly
 * available directory of global names, and not how it is spoken to.
 *
 *   operation   to                    request                               response
 *   register    all replicas          claims, each with its capability      the roll
 *   find        all replicas          a name; word 1: about an entry        whether the replica is settled; registrations
 *   hello       all other replicas    who says it, and on which machine     the roll
 *   copy        one replica           word 1: from which prefix on          word 1: where to go on, 0 at the end; registrations
 *   announce    all name handlers     nothing; a datagram                   none: they register what they export
 *
 * The roll: word 1, whether the replica is settled; segment, the replicas that it knows of, itself among them.
 */
import {
  type About,
  codeOf,
  type EntityId,
  entityId,
  type Message,
  MessageFlag,
  message,
  ReplyCode,
  wordOf,
} from '@backplane/slots';
import { ByteReader, ByteWriter, encodeUtf8 } from '@backplane/wire';
import type { Capability } from './capability.ts';
import type { Directory } from './directory.ts';
import { type Claim, type Registration, readClaim, writeClaim } from './registration.ts';

export const code = {
  register: 0x0902,
  find: 0x0903,
  hello: 0x0904,
  copy: 0x0905,
  announce: 0x0906,
} as const;

/** What goes into one message, with room to spare. */
const segmentBytes = 12_288;
/** Far beyond the machines of one network. */
export const replicasMax = 256;
const nameMax = 256;

/** A replica says that it is there. */
export interface Hello {
  readonly replica: EntityId;
  readonly machine: string;
}

export interface Roll {
  /** What it does not know does not exist; else it may only have not heard of it yet. */
  readonly settled: boolean;
  readonly replicas: readonly EntityId[];
}

export interface Found {
  readonly settled: boolean;
  readonly registrations: readonly Registration[];
}

export interface Page {
  readonly registrations: readonly Registration[];
  /** Where the next page begins; 0: there is none. */
  readonly next: number;
}

const isEntity = (e: EntityId): boolean => /^[0-9a-f]{16}$/.test(e);

const question = (operation: number, segment: Uint8Array, words: readonly number[] = []): Message =>
  message({ code: operation, flags: MessageFlag.manyResponses, words, segment });

// ---- requests ----

export const announce = (): Message => message({ code: code.announce, flags: MessageFlag.datagram });
export const isAnnounce = (m: Message): boolean => codeOf(m) === code.announce;

export const hello = (h: Hello): Message =>
  question(code.hello, new ByteWriter().string(h.replica).string(h.machine).finish());

/** Undefined for what is cut off. */
export function helloIn({ segment }: Message): Hello | undefined {
  const from = new ByteReader(segment);
  const said = { replica: entityId(from.string(nameMax)), machine: from.string(nameMax) };
  return from.failed || !isEntity(said.replica) ? undefined : said;
}

/** As many messages as it takes. */
export function register(claims: Iterable<readonly [Claim, Capability]>): readonly Message[] {
  const messages: Message[] = [];
  let to = new ByteWriter();
  for (const [claim, capability] of claims) {
    if (to.length > segmentBytes) {
      messages.push(question(code.register, to.finish()));
      to = new ByteWriter();
    }
    writeClaim(to, claim, capability);
  }
  if (to.length > 0) messages.push(question(code.register, to.finish()));
  return messages;
}

/** Undefined for what is cut off. */
export function registered({ segment }: Message): readonly (readonly [Claim, Capability])[] | undefined {
  const claims: (readonly [Claim, Capability])[] = [];
  const from = new ByteReader(segment);
  while (from.remaining > 0) {
    const { claim, seal } = readClaim(from);
    claims.push([claim, seal]);
  }
  return from.failed ? undefined : claims;
}

export const find = (path: string, about: About): Message =>
  question(code.find, encodeUtf8(path), [about === 'entry' ? 1 : 0]);

export const copyFrom = (number: number): Message => message({ code: code.copy, words: [number] });

// ---- responses ----

export function roll({ settled, replicas }: Roll): Message {
  const segment = new ByteWriter().list(replicas, (to, r) => void to.string(r)).finish();
  return message({ code: ReplyCode.ok, words: [settled ? 1 : 0], segment });
}

/** Undefined for a failure, and for what is no answer; so for the others. */
export function rollIn(m: Message): Roll | undefined {
  if (codeOf(m) !== ReplyCode.ok) return undefined;
  const from = new ByteReader(m.segment);
  const replicas = from.list((one) => entityId(one.string(nameMax)), replicasMax);
  if (from.failed || !replicas.every(isEntity)) return undefined;
  return { settled: wordOf(m, 1) === 1, replicas };
}

/** Those of the longest prefixes, should they be too many. */
export function found({ settled, registrations }: Found): Message {
  const to = new ByteWriter();
  for (const r of registrations) if (to.length <= segmentBytes) writeClaim(to, r, r.image);
  return message({ code: ReplyCode.ok, words: [settled ? 1 : 0], segment: to.finish() });
}

export function foundIn(m: Message): Found | undefined {
  const registrations = registrationsIn(m);
  return registrations && { settled: wordOf(m, 1) === 1, registrations };
}

export function page(directory: Directory, number: number): Message {
  const to = new ByteWriter();
  for (const { number: at, registrations } of directory.from(number)) {
    if (to.length > segmentBytes) return message({ code: ReplyCode.ok, words: [at], segment: to.finish() });
    for (const r of registrations) writeClaim(to, r, r.image);
  }
  return message({ code: ReplyCode.ok, segment: to.finish() });
}

export function pageIn(m: Message): Page | undefined {
  const registrations = registrationsIn(m);
  return registrations && { registrations, next: wordOf(m, 1) };
}

function registrationsIn(m: Message): readonly Registration[] | undefined {
  if (codeOf(m) !== ReplyCode.ok) return undefined;
  const all: Registration[] = [];
  const from = new ByteReader(m.segment);
  while (from.remaining > 0) {
    const { claim, seal } = readClaim(from);
    all.push({ ...claim, image: seal });
  }
  return from.failed ? undefined : all;
}
