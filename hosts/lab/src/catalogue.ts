/**
 * What is installed: every board that comes with the project, under the short name that `--set` takes, and the machine
 * types and kernels by name. Boards of outside packages are added by their package name.
 */
import { lruBlockCache } from '@backplane/block-cache-lru';
import { nfsCache } from '@backplane/cache-nfs';
import { noCache } from '@backplane/cache-none';
import { spriteCache } from '@backplane/cache-sprite';
import type { Installed } from '@backplane/chassis';
import { costBenefitCleaner } from '@backplane/cleaner-cost-benefit';
import { greedyCleaner } from '@backplane/cleaner-greedy';
import { noCleaner } from '@backplane/cleaner-none';
import { deviceServer } from '@backplane/device-server-v';
import { exceptionServer } from '@backplane/exception-server-v';
import { lfsStorage } from '@backplane/fs-lfs';
import { memoryStorage } from '@backplane/fs-memory';
import { ofsStorage } from '@backplane/fs-ofs';
import { drive } from '@backplane/hw-disk';
import { ethernet, ethernetInterface } from '@backplane/hw-ethernet';
import { machineTypes } from '@backplane/hw-machines';
import { memory } from '@backplane/hw-memory';
import { nvram, nvramBlocks } from '@backplane/hw-nvram';
import { processors } from '@backplane/hw-processor';
import { raid } from '@backplane/hw-raid';
import { ipcV } from '@backplane/ipc-v';
import { kernelServers } from '@backplane/kernel-servers-v';
import { arpLocator } from '@backplane/locator-arp';
import { fixedMemory } from '@backplane/memory-policy-fixed';
import { negotiatedMemory } from '@backplane/memory-policy-negotiated';
import { unifiedMemory } from '@backplane/memory-policy-unified';
import { migration } from '@backplane/migration-v';
import { mountNaming } from '@backplane/naming-mounts';
import { prefixNaming } from '@backplane/naming-prefix';
import { vNaming } from '@backplane/naming-v';
import { ip } from '@backplane/net-ip';
import { pipes } from '@backplane/objects-pipe';
import { pipeServer } from '@backplane/pipe-server-v';
import { placement } from '@backplane/placement-v';
import { programManager } from '@backplane/program-manager-v';
import { reopenRecovery } from '@backplane/recovery-reopen';
import { spriteRpc } from '@backplane/rpc-sprite';
import { sunRpc } from '@backplane/rpc-sun';
import { vmtp } from '@backplane/rpc-vmtp';
import { runtime } from '@backplane/runtime-v';
import { spriteScheduler } from '@backplane/scheduler-sprite';
import { vScheduler } from '@backplane/scheduler-v';
import type { Board, Component, MachineType } from '@backplane/slots';
import { streams } from '@backplane/streams';
import { spriteSystemCalls } from '@backplane/syscalls-sprite';
import { timeSync } from '@backplane/time-sync-v';
import { uio } from '@backplane/uio-v';
import { residentVm } from '@backplane/vm-resident';
import { cacheDirectory, vMemory } from '@backplane/vm-v';
import { unknownMachineType } from './errors.ts';

export interface CatalogueEntry extends Installed {
  readonly component: Component;
  /** Makes a board; the component's own schema checks the options. */
  readonly make: (options?: Readonly<Record<string, unknown>>) => Board;
}

/** A component of any options: which it takes is checked when a board is made. */
const entry = (short: string, component: unknown): CatalogueEntry => {
  const c = component as Component;
  return {
    short,
    name: c.componentName,
    slot: c.slot,
    component: c,
    make: component as CatalogueEntry['make'],
  };
};

export const catalogue: readonly CatalogueEntry[] = [
  entry('ethernet', ethernet),
  entry('processors', processors),
  entry('memory', memory),
  entry('ethernet', ethernetInterface),
  entry('drive', drive),
  entry('raid', raid),
  entry('nvram', nvram),
  entry('nvram', nvramBlocks),
  entry('sprite', spriteScheduler),
  entry('v', vScheduler),
  entry('arp', arpLocator),
  entry('ip', ip),
  entry('sprite', spriteRpc),
  entry('sun', sunRpc),
  entry('vmtp', vmtp),
  entry('v', ipcV),
  entry('prefix', prefixNaming),
  entry('mounts', mountNaming),
  entry('v', vNaming),
  entry('negotiated', negotiatedMemory),
  entry('fixed', fixedMemory),
  entry('unified', unifiedMemory),
  entry('lru', lruBlockCache),
  entry('cost-benefit', costBenefitCleaner),
  entry('greedy', greedyCleaner),
  entry('none', noCleaner),
  entry('lfs', lfsStorage),
  entry('ofs', ofsStorage),
  entry('memory', memoryStorage),
  entry('streams', streams),
  entry('sprite', spriteCache),
  entry('nfs', nfsCache),
  entry('none', noCache),
  entry('uio', uio),
  entry('reopen', reopenRecovery),
  entry('pipe', pipes),
  entry('resident', residentVm),
  entry('v', vMemory),
  entry('kernel', kernelServers),
  entry('devices', deviceServer),
  entry('exceptions', exceptionServer),
  entry('files', cacheDirectory),
  entry('programs', programManager),
  entry('pipes', pipeServer),
  entry('placement', placement),
  entry('migration', migration),
  entry('clocks', timeSync),
  entry('sprite', spriteSystemCalls),
  entry('v', runtime),
];

/** @throws BackplaneError with the nearest name */
export function machineType(name: string): MachineType {
  const type = machineTypes.find((t) => t.name === name);
  if (type === undefined)
    throw unknownMachineType(
      name,
      machineTypes.map((t) => t.name),
    );
  return type;
}
