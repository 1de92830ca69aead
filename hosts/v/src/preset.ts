/**
 * The boards of a V kernel: interprocess communication over VMTP, and what it needs; and of its programs: names, files by
 * uniform I/O. Every board can be swapped: `vWorkstation().with({ transport: ... })`.
 *
 * Native programs make the system calls that they make on Sprite, with descriptors kept by the same boards: they stand for
 * V's run-time library, which ran in each program, and are charged a trap for what was a procedure call there.
 */
import { lruBlockCache } from '@backplane/block-cache-lru';
import { ofsStorage } from '@backplane/fs-ofs';
import { drive } from '@backplane/hw-disk';
import { ethernetInterface } from '@backplane/hw-ethernet';
import { memory } from '@backplane/hw-memory';
import { processors } from '@backplane/hw-processor';
import { ipcV } from '@backplane/ipc-v';
import { arpLocator } from '@backplane/locator-arp';
import { negotiatedMemory } from '@backplane/memory-policy-negotiated';
import { vNaming } from '@backplane/naming-v';
import { ip } from '@backplane/net-ip';
import { pipes } from '@backplane/objects-pipe';
import { vmtp } from '@backplane/rpc-vmtp';
import { vScheduler } from '@backplane/scheduler-v';
import { defineKernel, type Kernel } from '@backplane/slots';
import { streams } from '@backplane/streams';
import { spriteSystemCalls } from '@backplane/syscalls-sprite';
import { uio } from '@backplane/uio-v';
import { residentVm } from '@backplane/vm-resident';

const workstation = {
  processors: processors(),
  memory: memory(),
  nic: ethernetInterface(),
  scheduler: vScheduler(),
  locator: arpLocator(),
  internet: ip(),
  transport: vmtp(),
  ipc: ipcV(),
  naming: vNaming(),
  memoryPolicy: negotiatedMemory(),
  streams: streams(),
  fileCache: uio(),
  objects: { pipe: pipes() },
  vm: residentVm(),
  systemCalls: spriteSystemCalls(),
};

/** A diskless workstation. */
export const vWorkstation = (): Kernel => defineKernel('v', workstation);

/**
 * The same kernel with a file server, and a disk for each domain.
 *
 * @param prefixes the domains that it serves, the root among them unless another server has it
 */
export const vFileServer = (prefixes: readonly string[] = ['/']): Kernel =>
  defineKernel('v-server', {
    ...workstation,
    blockCache: lruBlockCache(),
    disk: prefixes.map(() => drive()),
    storage: Object.fromEntries(
      prefixes.map((prefix, domain) => [
        prefix,
        ofsStorage({ domain, disk: `${domain}`, metadata: 'synchronous' }),
      ]),
    ),
  });
