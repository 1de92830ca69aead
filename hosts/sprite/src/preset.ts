/**
 * The boards of a Sprite kernel, on the hardware that it ran on. A workstation is diskless; a file server exports one
 * domain for each of its storages, "/" the first. Everything can be swapped: `spriteClient().with({ transport: ... })`.
 */
import { lruBlockCache } from '@backplane/block-cache-lru';
import { spriteCache } from '@backplane/cache-sprite';
import { memoryStorage } from '@backplane/fs-memory';
import { ethernetInterface } from '@backplane/hw-ethernet';
import { memory } from '@backplane/hw-memory';
import { processors } from '@backplane/hw-processor';
import { arpLocator } from '@backplane/locator-arp';
import { negotiatedMemory } from '@backplane/memory-policy-negotiated';
import { prefixNaming } from '@backplane/naming-prefix';
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

/** @param prefixes the domains that it serves, the root among them unless another server has it */
export const spriteServer = (prefixes: readonly string[] = ['/']): Kernel =>
  defineKernel('sprite-server', {
    ...workstation,
    storage: Object.fromEntries(prefixes.map((prefix, domain) => [prefix, memoryStorage({ domain })])),
  });
