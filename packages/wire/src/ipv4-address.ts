/** Internet addresses (RFC 791, section 3.2) as numbers of 32 bits. */
import { badText, outOfRange } from './errors.ts';
import type { Kind, PlaceOptions } from './field.ts';
import { asMac, type MacAddress } from './mac-address.ts';
import { u32At } from './word.ts';

/** Made by `asIpv4`, `parseIpv4`, or by reading an `ipv4` field. */
export type Ipv4Address = number & { readonly __brand: 'Ipv4Address' };

/** @throws WireError `WIRE_RANGE` unless `address` is an integer from 0 to 2 ** 32 - 1 */
export const asIpv4 = (address: number): Ipv4Address => {
  if (address >>> 0 !== address) throw outOfRange('ipv4 address', address, 'an integer of 32 bits');
  // The only place where a number becomes an Internet address.
  return address as Ipv4Address;
};

/** All ones: every host on this network (RFC 919). */
export const BROADCAST_IPV4: Ipv4Address = asIpv4(0xffffffff);

/** Class D: a host group (RFC 1112, section 4). */
export const isMulticastIpv4 = (address: Ipv4Address): boolean => address >>> 28 === 0xe;

/** The Ethernet group of a host group: 01-00-5E and its low 23 bits (RFC 1112, section 6.4). Groups share addresses. */
export const multicastMac = (group: Ipv4Address): MacAddress => {
  if (!isMulticastIpv4(group))
    throw outOfRange('host group', formatIpv4(group), 'in 224.0.0.0 to 239.255.255.255');
  return asMac(0x01005e * 0x100_0000 + (group & 0x7fffff));
};

/** Reads dotted decimal: `36.8.0.49`. */
export const parseIpv4 = (text: string): Ipv4Address => {
  const parts = /^\d{1,3}(\.\d{1,3}){3}$/.test(text) ? text.split('.').map(Number) : [];
  if (parts.length === 0 || parts.some((part) => part > 255))
    throw badText('ipv4 address', text, '36.8.0.49');
  return asIpv4(parts.reduce((address, part) => address * 256 + part, 0));
};

export const formatIpv4 = (address: Ipv4Address): string =>
  [address >>> 24, (address >>> 16) & 0xff, (address >>> 8) & 0xff, address & 0xff].join('.');

/** A field of four bytes, in network order whatever the layout's. */
export const ipv4 = (doc = '', options: PlaceOptions = {}): Kind<Ipv4Address> => ({
  ...options,
  endian: 'big',
  kind: 'ipv4',
  doc,
  widthBits: 32,
  place: (spot) => {
    const word = u32At(spot);
    return { get: (bytes, at) => asIpv4(word.get(bytes, at)), set: word.set };
  },
});
