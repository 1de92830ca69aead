/** Captures every frame of a run, and says how to read them. */
import type { Cluster } from '@backplane/chassis';
import { CLUSTER_EPOCH_SECONDS } from '@backplane/engine';
import { frameBytes } from '@backplane/hw-ethernet';
import { spriteRpcHeader } from '@backplane/rpc-sprite';
import { vmtpHeader } from '@backplane/rpc-vmtp';
import { captureHeader, capturePacket, type DissectedProtocol, dissectorFor } from '@backplane/trace';
import { ETHER_TYPES, IP_PROTOCOLS } from '@backplane/wire';

/** @param write is given the parts of a pcapng file, in order */
export function captureFrames(cluster: Cluster, write: (bytes: Uint8Array) => void): void {
  write(captureHeader('ether'));
  cluster.medium.tap((frame, startNs) =>
    write(capturePacket(frameBytes(frame), startNs, CLUSTER_EPOCH_SECONDS)),
  );
}

const spriteRpc: DissectedProtocol = {
  name: 'spriterpc',
  title: 'Sprite RPC',
  header: spriteRpcHeader,
  etherType: ETHER_TYPES.spriteRpc,
  ipProtocol: IP_PROTOCOLS.spriteRpc,
  summary: 'command',
};

const vmtp: DissectedProtocol = {
  name: 'vmtp',
  title: 'VMTP',
  header: vmtpHeader,
  etherType: ETHER_TYPES.v,
  ipProtocol: IP_PROTOCOLS.vmtp,
  summary: 'functionCode',
};

/** Wireshark knows Sun RPC, but takes no datagram for it whose program it does not know. Before 3.6 it has to be told in its own settings. */
const sunRpc = `-- Sun RPC, of whatever program
if set_preference then set_preference("rpc.dissect_unknown_programs", true) end
`;

/** Lua for Wireshark, for the protocols that stock Wireshark does not know; each in a scope of its own. */
export const captureDissectors = (): string =>
  [...[spriteRpc, vmtp].map((p) => `do\n${dissectorFor(p)}end\n`), sunRpc].join('\n');
