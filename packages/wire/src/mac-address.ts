/**
 * MAC addresses (IEEE 802, EUI-48): six bytes, as one number below 0x1_0000_0000_0000, so that they compare and key maps as they are.
 */
import { badText, outOfRange, tooShort } from './errors.ts';
import type { Accessor, Kind, PlaceOptions, Spot } from './field.ts';

/** Made by `asMac`, `parseMac`, `hostMac`, or by reading a `mac` field. */
export type MacAddress = number & { readonly __brand: 'MacAddress' };

/** @throws WireError `WIRE_RANGE` unless `address` is an integer from 0 to 0xffff_ffff_ffff */
export const asMac = (address: number): MacAddress => {
  if (!(Number.isInteger(address) && address >= 0 && address < 0x1_0000_0000_0000)) {
    throw outOfRange('mac address', address, 'an integer of 48 bits');
  }
  // The only place where a number becomes a MAC address.
  return address as MacAddress;
};

/** All ones: every station. */
export const BROADCAST_MAC: MacAddress = asMac(0xffff_ffff_ffff);

/** First byte's lowest bit, sent first on the wire: a group of stations (broadcast included). */
export const isMulticastMac = (address: number): boolean => firstByte(address) % 2 === 1;

/** First byte's second bit: assigned by whoever runs the network, not by the maker of the interface. */
export const isLocalMac = (address: number): boolean => Math.floor(firstByte(address) / 2) % 2 === 1;

/** The locally administered address 02-00-hh-hh-hh-hh of host `hostId`, 0 to 0x1_0000_0000 - 1. */
export const hostMac = (hostId: number): MacAddress => {
  if (hostId >>> 0 !== hostId) throw outOfRange('host id', hostId, 'an integer of 32 bits');
  return asMac(0x02 * 0x100_0000_0000 + hostId);
};

/** Reads six bytes in hexadecimal, parted by colons or hyphens. */
export const parseMac = (text: string): MacAddress => {
  if (!/^[0-9a-f]{1,2}([:-][0-9a-f]{1,2}){5}$/i.test(text))
    throw badText('mac address', text, '08:00:20:01:02:03');
  return asMac(text.split(/[:-]/).reduce((address, byte) => address * 256 + Number.parseInt(byte, 16), 0));
};

/** As in `08:00:20:01:02:03`. */
export const formatMac = (address: MacAddress): string =>
  address
    .toString(16)
    .padStart(12, '0')
    .replace(/..(?=.)/g, '$&:');

/** A field of six bytes, the first one first whatever the layout's order. */
export const mac = (doc = '', options: PlaceOptions = {}): Kind<MacAddress> => ({
  ...options,
  endian: 'big',
  kind: 'mac',
  doc,
  widthBits: 48,
  place: macAt,
});

const macAt = ({ offset, where }: Spot): Accessor<MacAddress> => {
  const end = offset + 6;
  return {
    get: (bytes, at) => {
      const i = at + offset;
      if (at + end > bytes.length) throw tooShort(where, at + end, bytes.length);
      const high = ((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0);
      const middle = ((bytes[i + 2] ?? 0) << 8) | (bytes[i + 3] ?? 0);
      const low = ((bytes[i + 4] ?? 0) << 8) | (bytes[i + 5] ?? 0);
      return asMac(high * 0x1_0000_0000 + middle * 0x1_0000 + low);
    },
    set: (bytes, at, value) => {
      const i = at + offset;
      const address = asMac(value);
      if (at + end > bytes.length) throw tooShort(where, at + end, bytes.length);
      const high = Math.floor(address / 0x1_0000_0000);
      const low = address >>> 0;
      bytes[i] = high >>> 8;
      bytes[i + 1] = high;
      bytes[i + 2] = low >>> 24;
      bytes[i + 3] = low >>> 16;
      bytes[i + 4] = low >>> 8;
      bytes[i + 5] = low;
    },
  };
};

const firstByte = (address: number): number => Math.floor(address / 0x100_0000_0000);
