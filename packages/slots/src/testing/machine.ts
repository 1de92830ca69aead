/**
 * A machine for tests of one board: an engine, a scope, costs of zero unless given, and metrics that can be read. For
 * everything that takes two boards there is the chassis.
 */
import { Engine } from '@backplane/engine';
import type { CostSource } from '../evidence.ts';
import type { Machine, MachineCosts, MachineType } from '../machine.ts';
import { type Natives, natives } from '../native.ts';
import { hostId } from '../vocabulary.ts';

const free: MachineCosts = {
  instructionNs: 0,
  trapNs: 0,
  contextSwitchNs: 0,
  copyNsPerByte: 0,
  checksumNsPerByte: 0,
  packetSendNs: 0,
  packetReceiveNs: 0,
  fragmentReceiveNs: 0,
  transmitTurnaroundNs: 0,
  diskInterruptNs: 0,
  hostMonitorNs: 0,
  spriteRpcPathNs: 0,
  sunRpcPathNs: 0,
  vmtpPathNs: 0,
  uioNs: 0,
  streamNsPerByte: 0,
  blockOperationNs: 0,
  componentLookupNs: 0,
  clientNamingNs: 0,
  attributesNs: 0,
  openClientNs: 0,
  openServerNs: 0,
  pageTableNs: 0,
  pageAllocateNs: 0,
  processCreateNs: 0,
  descriptorCreateNs: 0,
  recoveredFileNs: 0,
};
const given: CostSource = { evidence: 'exact', source: 'a test' };

export interface TestMachineOptions {
  readonly name?: string;
  readonly host?: number;
  readonly seed?: number;
  readonly engine?: Engine;
  readonly costs?: Partial<MachineCosts>;
  readonly processors?: number;
  readonly memoryBytes?: number;
  readonly pageBytes?: number;
  readonly bootId?: number;
  /** Of the cluster, where there are several machines. */
  readonly natives?: Natives;
}

/** What boards have registered, by name, as it is now. */
export interface TestMachine extends Machine {
  metric(name: string): number | undefined;
}

export function testMachine(o: TestMachineOptions = {}): TestMachine {
  const engine = o.engine ?? new Engine({ seed: o.seed ?? 1 });
  const name = o.name ?? 'mint';
  const readers = new Map<string, () => number>();
  const type: MachineType = {
    name: 'test',
    description: 'a machine for tests',
    processors: o.processors ?? 1,
    memoryBytes: o.memoryBytes ?? 1 << 20,
    pageBytes: o.pageBytes ?? 4096,
    costs: { ...free, ...o.costs },
    sources: Object.fromEntries(
      Object.keys(free).map((k) => [k, given]),
    ) as unknown as MachineType['sources'],
  };
  return {
    name,
    host: hostId(o.host ?? 1),
    role: 'client',
    type,
    bootId: o.bootId ?? 1000,
    scope: engine.root.child(name),
    engine,
    metrics: {
      register(metric, read) {
        readers.set(metric, read);
        return () => void readers.delete(metric);
      },
    },
    natives: o.natives ?? natives(),
    random: (purpose) => engine.random(purpose, name),
    metric: (metric) => readers.get(metric)?.(),
  };
}
