/**
 * The boards of a V kernel: interprocess communication over VMTP and what it needs; the servers that are reached by it, those
 * of the kernel and those outside; names, memory, and the run-time library of programs. Every board can be swapped:
 * `vWorkstation().with({ transport: ... })`.
 */
import { lruBlockCache } from '@backplane/block-cache-lru';
import { costBenefitCleaner } from '@backplane/cleaner-cost-benefit';
import { deviceServer } from '@backplane/device-server-v';
import { exceptionServer } from '@backplane/exception-server-v';
import { ofsStorage } from '@backplane/fs-ofs';
import { drive } from '@backplane/hw-disk';
import { ethernetInterface } from '@backplane/hw-ethernet';
import { memory } from '@backplane/hw-memory';
import { processors } from '@backplane/hw-processor';
import { ipcV } from '@backplane/ipc-v';
import { kernelServers } from '@backplane/kernel-servers-v';
import { arpLocator } from '@backplane/locator-arp';
import { unifiedMemory } from '@backplane/memory-policy-unified';
import { migration } from '@backplane/migration-v';
import { vNaming } from '@backplane/naming-v';
import { ip } from '@backplane/net-ip';
import { pipes } from '@backplane/objects-pipe';
import { pipeServer } from '@backplane/pipe-server-v';
import { placement } from '@backplane/placement-v';
import { programManager } from '@backplane/program-manager-v';
import { vmtp } from '@backplane/rpc-vmtp';
import { runtime } from '@backplane/runtime-v';
import { vScheduler } from '@backplane/scheduler-v';
import { defineKernel, type Kernel } from '@backplane/slots';
import { streams } from '@backplane/streams';
import { timeSync } from '@backplane/time-sync-v';
import { uio } from '@backplane/uio-v';
import { cacheDirectory, vMemory } from '@backplane/vm-v';

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
  memoryPolicy: unifiedMemory(),
  streams: streams(),
  fileCache: uio(),
  objects: { pipe: pipes() },
  vm: vMemory({ pagingDirectory: '/swap' }),
  servers: {
    kernel: kernelServers(),
    devices: deviceServer(),
    exceptions: exceptionServer(),
    programs: programManager(),
    pipes: pipeServer(),
    files: cacheDirectory(),
    placement: placement(),
    migration: migration(),
    clocks: timeSync(),
  },
  systemCalls: runtime(),
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
    naming: vNaming({ directory: true }),
    blockCache: lruBlockCache(),
    cleaner: costBenefitCleaner(),
    disk: prefixes.map(() => drive()),
    storage: Object.fromEntries(
      prefixes.map((prefix, domain) => [
        prefix,
        ofsStorage({ domain, disk: `${domain}`, metadata: 'synchronous' }),
      ]),
    ),
  });
