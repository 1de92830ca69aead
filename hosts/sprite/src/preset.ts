/**
 * The boards of a Sprite kernel, on the hardware that it ran on. A workstation is diskless; a file server has a drive for
 * each domain that it exports, "/" the first, with the original file system on it. Everything can be swapped:
 * `spriteClient().with({ transport: ... })`.
 */
import { lruBlockCache } from '@backplane/block-cache-lru';
import { spriteCache } from '@backplane/cache-sprite';
import { costBenefitCleaner } from '@backplane/cleaner-cost-benefit';
import { ofsStorage } from '@backplane/fs-ofs';
import { drive } from '@backplane/hw-disk';
import { ethernetInterface } from '@backplane/hw-ethernet';
import { memory } from '@backplane/hw-memory';
import { processors } from '@backplane/hw-processor';
import { arpLocator } from '@backplane/locator-arp';
import { negotiatedMemory } from '@backplane/memory-policy-negotiated';
import { prefixNaming } from '@backplane/naming-prefix';
import { ip } from '@backplane/net-ip';
import { pipes } from '@backplane/objects-pipe';
import { reopenRecovery } from '@backplane/recovery-reopen';
import { spriteRpc } from '@backplane/rpc-sprite';
import { spriteScheduler } from '@backplane/scheduler-sprite';
import { defineKernel, type Kernel } from '@backplane/slots';
import { streams } from '@backplane/streams';
import { spriteSystemCalls } from '@backplane/syscalls-sprite';
import { residentVm } from '@backplane/vm-resident';

const workstation = {
  processors: processors(),
  memory: memory(),
  nic: ethernetInterface(),
  scheduler: spriteScheduler(),
  locator: arpLocator(),
  internet: ip(),
  transport: spriteRpc(),
  naming: prefixNaming(),
  memoryPolicy: negotiatedMemory(),
  blockCache: lruBlockCache(),
  streams: streams(),
  recovery: reopenRecovery(),
  fileCache: spriteCache(),
  objects: { pipe: pipes() },
  vm: residentVm(),
  systemCalls: spriteSystemCalls(),
};

/** A diskless workstation. */
export const spriteClient = (): Kernel => defineKernel('sprite', workstation);

/**
 * A file server with a disk for each domain. Names are on the disk before a program hears that they are made, and so are bytes
 * before a client's cache lets go of them, which Sprite's own servers left for 30 seconds: a server may crash then, and
 * programs that wait for it go on with every name and byte they know. `ofsStorage({ metadata: 'delayed' })` and
 * `spriteCache({ serverWrite: 'delayed' })` are the original's way, and the first is the faster one.
 *
 * @param prefixes the domains that it serves, the root among them unless another server has it
 */
export const spriteServer = (prefixes: readonly string[] = ['/']): Kernel =>
  defineKernel('sprite-server', {
    ...workstation,
    cleaner: costBenefitCleaner(),
    disk: prefixes.map(() => drive()),
    storage: Object.fromEntries(
      prefixes.map((prefix, domain) => [
        prefix,
        ofsStorage({ domain, disk: `${domain}`, metadata: 'synchronous' }),
      ]),
    ),
  });
