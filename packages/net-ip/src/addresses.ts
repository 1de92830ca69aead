/** Host n of the cluster is 10.1.0.n; host 0, which is everybody, is the limited broadcast address of RFC 919. */
import type { HostId } from '@backplane/slots';
import { asIpv4, BROADCAST_IPV4, type Ipv4Address } from '@backplane/wire';

/** Network 10, subnet 10.1.0. */
const network = 0x0a01_0000;
/** Hosts of a cluster end here, as Sprite's. */
const hostMax = 199;

export const internetAddress = (host: HostId): Ipv4Address =>
  host === 0 ? BROADCAST_IPV4 : asIpv4(network + host);

/** The host that has the address; undefined for an address that no single host of a cluster has. */
export const hostOf = (address: Ipv4Address): HostId | undefined => {
  const number = address - network;
  return number >= 1 && number <= hostMax ? (number as HostId) : undefined; // boundary: the range was just checked
};
