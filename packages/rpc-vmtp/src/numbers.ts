/**
 * Entity numbers of domain 1 (RFC 1045, section 3.1 and appendix IV): who made them is part of them, so that hosts mint
 * without asking, and names them for a first attempt. Entities move; their numbers stay.
 *
 *   type 4 | discriminator 28 | internet address 32
 *
 *   bit     of an entity                          of a group
 *   0x8     RAE: stands for an entity elsewhere   RAE
 *   0x4     0                                     1
 *   0x2     LEE: little-endian sender             UGP: anybody may join
 *   0x1     0                                     0
 *
 * As a text: `BE-25593-36.8.0.49`, with `LE` for a little-endian sender, `RG` and `UG` for restricted and unrestricted
 * groups, and an `A` after these for an alias.
 *
 * A group's low half is either the internet host group that it is heard under (class D: the group is well known), or the
 * address of the host that made it: then it is heard under 232.a.b.c, from the low 24 bits of its discriminator. Many groups
 * share an address; who receives looks at all 64 bits. The RFC does not say how the two are told apart; by class D is our
 * reading.
 */
import { type EntityId, entityId, highWord, lowWord, noEntity } from '@backplane/slots';
import {
  asIpv4,
  formatIpv4,
  type Ipv4Address,
  isMulticastIpv4,
  type MacAddress,
  multicastMac,
  parseIpv4,
} from '@backplane/wire';

/** Bits of the type. */
export const entityTypes = { alias: 0x8, group: 0x4, littleEndian: 0x2, unrestricted: 0x2 } as const;

export const discriminatorMax = 0xfff_ffff;

const digits = (word: number): string => word.toString(16).padStart(8, '0');

/** From the two words of a header. */
export const entityOf = (high: number, low: number): EntityId => entityId(digits(high) + digits(low));

/** @param type bits of `entityTypes` @param discriminator 0 to `discriminatorMax` */
export const entityNumber = (type: number, discriminator: number, address: number): EntityId =>
  entityOf(((type << 28) | discriminator) >>> 0, address);

export const typeOf = (e: EntityId): number => highWord(e) >>> 28;
export const discriminatorOf = (e: EntityId): number => highWord(e) & discriminatorMax;
/** Of the host that made the number, or of the well-known group. */
export const addressOf = (e: EntityId): Ipv4Address => asIpv4(lowWord(e));

// ---- numbers that everybody knows ----

/** Of the manager of each host, among the numbers with its address. */
export const managerDiscriminator = 2;

/** The managers of all hosts: RG-1-224.0.1.0. */
export const vmtpManagerGroup: EntityId = /* @__PURE__ */ entityId('40000001e0000100');
/** Asks on behalf of a host that has no number of its own yet, of either byte order. */
export const vmtpDefaultClient: { readonly bigEndian: EntityId; readonly littleEndian: EntityId } = {
  bigEndian: /* @__PURE__ */ entityId('00000001e0000100'),
  littleEndian: /* @__PURE__ */ entityId('20000001e0000100'),
};

/** 239.1.0.0: addresses that are a site's own to give. */
const wellKnownNetwork = 0xef01_0000;
export const wellKnownGroupMax = 255;

/** V's static groups, UG-n-239.1.0.n. The numbers are our own: those of V were never published. @param n 1 to 255 */
export const wellKnownGroup = (n: number): EntityId =>
  entityNumber(entityTypes.group | entityTypes.unrestricted, n, wellKnownNetwork + n);

// ---- where a group is heard ----

/** 232.0.0.0: host groups of transient VMTP groups. */
const transientNetwork = 0xe800_0000;

/** The internet host group. */
export function groupAddress(group: EntityId): Ipv4Address {
  const address = addressOf(group);
  if (isMulticastIpv4(address)) return address;
  return asIpv4(transientNetwork + (discriminatorOf(group) & 0xff_ffff));
}

/** The Ethernet group. */
export const groupStation = (group: EntityId): MacAddress => multicastMac(groupAddress(group));

// ---- texts ----

/** As in `BE-25593-36.8.0.49`. A number with the reserved bit has no such form and is given as its digits. */
export function formatEntity(e: EntityId): string {
  const type = typeOf(e);
  if ((type & 0x1) !== 0) return e;
  const second = (type & 0x2) !== 0;
  const kind = (type & entityTypes.group) !== 0 ? (second ? 'UG' : 'RG') : second ? 'LE' : 'BE';
  const alias = (type & entityTypes.alias) !== 0 ? 'A' : '';
  return `${kind}${alias}-${discriminatorOf(e)}-${formatIpv4(addressOf(e))}`;
}

const kinds: Readonly<Record<string, number>> = {
  BE: 0,
  LE: entityTypes.littleEndian,
  RG: entityTypes.group,
  UG: entityTypes.group | entityTypes.unrestricted,
};

/** Reads what `formatEntity` writes; undefined for anything else. */
export function parseEntity(text: string): EntityId | undefined {
  if (/^[0-9a-f]{16}$/.test(text)) return entityId(text);
  const [, kind, alias, discriminator, address] =
    /^(BE|LE|RG|UG)(A?)-(\d{1,9})-((?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!$)|$)){4})$/.exec(text) ?? [];
  if (kind === undefined || discriminator === undefined || address === undefined) return undefined;
  if (Number(discriminator) > discriminatorMax) return undefined;
  const type = (kinds[kind] ?? 0) | (alias === '' ? 0 : entityTypes.alias);
  return entityNumber(type, Number(discriminator), parseIpv4(address));
}

// ---- headers ----

/** How many numbers `EntityTexts` holds. A cluster uses far fewer at a time, so that two seldom want one place. */
const textsBits = 12;
const textsHeld: number = 1 << textsBits;

/**
 * The numbers of headers as texts, each made once while it is in use: a packet from or to an entity that was met before costs no
 * new string. It is a table without chains, where who comes last to a place has it.
 */
export class EntityTexts {
  readonly #highs: Uint32Array = new Uint32Array(textsHeld);
  readonly #lows: Uint32Array = new Uint32Array(textsHeld);
  readonly #texts: EntityId[] = new Array<EntityId>(textsHeld).fill(noEntity);

  of(high: number, low: number): EntityId {
    const mixed = Math.imul(high, 0x9e37_79b1) ^ Math.imul(low, 0x85eb_ca6b);
    const place = mixed >>> (32 - textsBits);
    const known = this.#texts[place];
    if (known !== undefined && this.#highs[place] === high && this.#lows[place] === low) return known;
    const text = entityOf(high, low);
    this.#highs[place] = high;
    this.#lows[place] = low;
    this.#texts[place] = text;
    return text;
  }
}

/** Of all hosts in the process: what it remembers changes no result, and tables of a hundred hosts would drive out one another. */
export const entityTexts: EntityTexts = /* @__PURE__ */ new EntityTexts();
