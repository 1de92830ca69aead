/** MicroVAX II: about 0.9 MIPS with 1 KB clusters of 512-byte pages; half of the published V figures are its. */
import { defineMachineType, fitted, type MachineType, prior, stated } from '@backplane/slots';

type Costs = Parameters<typeof defineMachineType>[0]['costs'];

/** A Sun-3 cost at a MicroVAX's speed. */
const slower = (value: number): Costs['trapNs'] => prior(Math.round(value * 2.2), "2.2 times the Sun-3's");

export const microvax2: MachineType = /* @__PURE__ */ defineMachineType({
  name: 'microvax2',
  description: 'MicroVAX II workstation, 0.9 MIPS, 5 MB',
  processors: 1,
  memoryBytes: 5 << 20,
  pageBytes: 1024,
  costs: {
    instructionNs: stated(1100, 'about 0.9 MIPS'),
    trapNs: prior(130_000, '120 instructions'),
    contextSwitchNs: fitted(449_000, 'V: local Send-Receive-Reply with 1 KB, Table II, 1.79 ms'),
    copyNsPerByte: prior(490, 'memory about 1.8 times as slow as a Sun-3'),
    checksumNsPerByte: slower(150),
    packetSendNs: prior(350_000, 'only send + receive + path are identified by a row'),
    packetReceiveNs: prior(400_000, 'only send + receive + path are identified by a row'),
    fragmentReceiveNs: prior(270_000, 'a receive without the wake-up'),
    transmitTurnaroundNs: prior(500_000, "the Sun-3's"),
    diskInterruptNs: prior(400_000, 'as the interrupt of a packet'),
    hostMonitorNs: slower(130_000),
    spriteRpcPathNs: slower(313_000),
    sunRpcPathNs: slower(900_000),
    vmtpPathNs: fitted(854_000, 'V: remote Send-Receive-Reply with 1 KB, Table II, 6.34 ms'),
    uioNs: fitted(1_560_000, 'V: reading a block of a local file, Table II, 3.47 ms'),
    streamNsPerByte: fitted(6080, 'V: getting a byte, 6.08 us'),
    blockOperationNs: slower(54_000),
    componentLookupNs: slower(1_000_000),
    clientNamingNs: slower(100_000),
    attributesNs: slower(120_000),
    openClientNs: slower(237_500),
    openServerNs: slower(237_500),
    pageTableNs: slower(140_000),
    pageAllocateNs: slower(270_000),
    processCreateNs: slower(22_800_000),
    descriptorCreateNs: fitted(4_054_000, 'V: create and destroy a process 4.6 ms'),
    recoveredFileNs: slower(6_010_000),
  },
});
