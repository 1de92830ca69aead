/** A machine of today for comparison, and one that costs nothing, for measuring the emulation itself. */
import { defineMachineType, exact, type MachineType, type NotedCost, prior } from '@backplane/slots';

type Costs = Parameters<typeof defineMachineType>[0]['costs'];

const costNames = [
  'instructionNs',
  'trapNs',
  'contextSwitchNs',
  'copyNsPerByte',
  'checksumNsPerByte',
  'packetSendNs',
  'packetReceiveNs',
  'fragmentReceiveNs',
  'transmitTurnaroundNs',
  'diskInterruptNs',
  'hostMonitorNs',
  'spriteRpcPathNs',
  'sunRpcPathNs',
  'vmtpPathNs',
  'uioNs',
  'streamNsPerByte',
  'blockOperationNs',
  'componentLookupNs',
  'clientNamingNs',
  'attributesNs',
  'openClientNs',
  'openServerNs',
  'pageTableNs',
  'pageAllocateNs',
  'processCreateNs',
  'descriptorCreateNs',
  'recoveredFileNs',
] as const satisfies readonly (keyof Costs)[];

/** Every cost the same. */
const uniform = (cost: NotedCost): Costs =>
  Object.fromEntries(costNames.map((name) => [name, cost])) as unknown as Costs;

export const zeroCost: MachineType = /* @__PURE__ */ defineMachineType({
  name: 'zero-cost',
  description: 'no processor time for anything: measures the emulation itself',
  processors: 1,
  memoryBytes: 64 << 20,
  pageBytes: 4096,
  costs: uniform(exact(0, 'by definition')),
});

/** A server of the 2020s on the network of the 1980s: orders of magnitude, for the question what the processors were worth. */
export const modern: MachineType = /* @__PURE__ */ defineMachineType({
  name: 'modern',
  description: 'a machine of the 2020s, 5000 MIPS, 4 processors, 256 MB given to the kernel',
  processors: 4,
  memoryBytes: 256 << 20,
  pageBytes: 4096,
  costs: {
    ...uniform(prior(1_000, 'a thousand instructions or so, a microsecond with cache misses')),
    instructionNs: prior(0.2, 'about 5000 MIPS'),
    trapNs: prior(100, 'a system call with its mitigations'),
    copyNsPerByte: prior(0.1, '10 GB/s'),
    checksumNsPerByte: prior(0.05, '20 GB/s'),
    transmitTurnaroundNs: prior(0, 'descriptor rings'),
    processCreateNs: prior(100_000, 'fork and exec of a small program'),
  },
});
