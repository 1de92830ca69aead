/** Sun-3 workstations and servers: a 68020 of about 2 MIPS with 8 KB pages. Most published Sprite and V figures are theirs. */
import { defineMachineType, fitted, type MachineType, prior, stated } from '@backplane/slots';

const sun3: Omit<MachineType, 'costs' | 'sources' | 'name' | 'description' | 'memoryBytes'> &
  Pick<Parameters<typeof defineMachineType>[0], 'costs'> = {
  processors: 1,
  pageBytes: 8192,
  costs: {
    instructionNs: stated(500, 'about 2 MIPS'),
    trapNs: prior(60_000, '120 instructions; only trap and switch together are identified by a row'),
    contextSwitchNs: fitted(150_000, 'V: local Send-Receive-Reply 0.480 ms = 3 traps + 2 switches'),
    copyNsPerByte: fitted(271, 'V: local Send-Receive-Reply with 8 KB 2.7 ms'),
    checksumNsPerByte: prior(150, 'an add and a load for each two bytes; no row identifies it'),
    packetSendNs: prior(250_000, 'only send + receive + path are identified by a row'),
    packetReceiveNs: prior(300_000, 'only send + receive + path are identified by a row'),
    fragmentReceiveNs: prior(200_000, 'a receive without the wake-up'),
    transmitTurnaroundNs: stated(
      500_000,
      "Sprite's own measure of how long this machine takes to turn a packet around",
    ),
    diskInterruptNs: prior(300_000, 'as the interrupt of a packet; no row identifies it'),
    hostMonitorNs: fitted(130_000, 'Sprite RPC: null call without host monitoring 2.19 ms'),
    spriteRpcPathNs: fitted(313_000, 'Sprite RPC: null call 2.45 ms'),
    sunRpcPathNs: prior(
      900_000,
      'UDP, IP and external data representation make a call about 1.35 times a Sprite RPC',
    ),
    vmtpPathNs: fitted(435_000, 'V: remote Send-Receive-Reply, Table I, 0 bytes, 2.54 ms'),
    uioNs: prior(700_000, "the MicroVAX's, over 2.2"),
    streamNsPerByte: prior(2760, "the MicroVAX's, over 2.2"),
    blockOperationNs: fitted(54_000, 'Sprite: read from the local cache 3269 KB/s'),
    componentLookupNs: fitted(1_000_000, 'Sprite: stat on a local disk 1.28 ms'),
    clientNamingNs: prior(100_000, '200 instructions'),
    attributesNs: prior(120_000, '240 instructions'),
    openClientNs: fitted(
      237_500,
      'Sprite: open and close on a local disk 2.17 ms, in four equal parts (a guess) with openServer',
    ),
    openServerNs: fitted(
      237_500,
      'Sprite: open and close on a local disk 2.17 ms, in four equal parts (a guess) with openClient',
    ),
    pageTableNs: fitted(140_000, 'Sprite: copy-on-write fork of 2 MB'),
    pageAllocateNs: fitted(270_000, 'Sprite: copying fork of 2 MB'),
    processCreateNs: fitted(22_800_000, 'Sprite: fork, wait and exit of an empty process'),
    descriptorCreateNs: prior(1_843_000, "the MicroVAX's, over 2.2"),
    recoveredFileNs: prior(6_010_000, "five times a Sun-4/260's"),
  },
};

/** The diskless workstation of the published measurements. */
export const sun3x75: MachineType = /* @__PURE__ */ defineMachineType({
  ...sun3,
  name: 'sun3-75',
  description: 'Sun-3/75 workstation, 2 MIPS, 8 MB',
  memoryBytes: 8 << 20,
});

/** The file server of the published measurements: the same processor with more memory. */
export const sun3x180: MachineType = /* @__PURE__ */ defineMachineType({
  ...sun3,
  name: 'sun3-180',
  description: 'Sun-3/180 file server, 2 MIPS, 12 MB',
  memoryBytes: 12 << 20,
});
