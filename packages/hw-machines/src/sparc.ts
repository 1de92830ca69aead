/** SPARCstation 1, DECstation 3100 and the Sun-4 servers: 10 to 13 MIPS. */
import { defineMachineType, fitted, type MachineType, prior, stated } from '@backplane/slots';

type Costs = Parameters<typeof defineMachineType>[0]['costs'];

/** A Sun-3 cost at a SPARCstation's speed. */
const fifth = (value: number): Costs['trapNs'] => prior(Math.round(value / 5), "a fifth of the Sun-3's");

const sparcstation: Costs = {
  instructionNs: stated(100, '10 to 12 MIPS'),
  trapNs: fitted(50_000, 'Sprite: gettimeofday of a migrated process'),
  contextSwitchNs: prior(80_000, 'register windows have to be saved'),
  copyNsPerByte: prior(100, 'memory about 2.7 times as fast as a Sun-3'),
  checksumNsPerByte: prior(50, "a third of the Sun-3's"),
  packetSendNs: prior(100_000, 'only send + receive + path are identified by a row'),
  packetReceiveNs: prior(130_000, 'only send + receive + path are identified by a row'),
  fragmentReceiveNs: prior(90_000, 'a receive without the wake-up'),
  transmitTurnaroundNs: fitted(192_000, 'Sprite RPC: 16 KB calls at 900 KB/s'),
  diskInterruptNs: prior(130_000, 'as the interrupt of a packet'),
  hostMonitorNs: fifth(130_000),
  spriteRpcPathNs: fitted(378_000, 'Sprite RPC: null call 1.6 ms'),
  sunRpcPathNs: prior(580_000, "Sprite RPC's path in the proportion of the Sun-3"),
  vmtpPathNs: fifth(435_000),
  uioNs: fifth(700_000),
  streamNsPerByte: fifth(2760),
  blockOperationNs: fifth(54_000),
  componentLookupNs: fifth(1_000_000),
  clientNamingNs: fifth(100_000),
  attributesNs: fifth(120_000),
  openClientNs: fifth(237_500),
  openServerNs: fifth(237_500),
  pageTableNs: fifth(140_000),
  pageAllocateNs: fifth(270_000),
  processCreateNs: fitted(46_000_000, 'Sprite: local fork, exec and wait'),
  descriptorCreateNs: fifth(1_843_000),
  recoveredFileNs: prior(1_202_000, "a Sun-4/260's, with a processor of the same speed"),
};

export const sparcstation1: MachineType = /* @__PURE__ */ defineMachineType({
  name: 'sparcstation1',
  description: 'SPARCstation 1 workstation, 10 MIPS, 16 MB',
  processors: 1,
  memoryBytes: 16 << 20,
  pageBytes: 4096,
  costs: sparcstation,
});

export const decstation3100: MachineType = /* @__PURE__ */ defineMachineType({
  name: 'decstation3100',
  description: 'DECstation 3100 workstation, 13 MIPS, 24 MB',
  processors: 1,
  memoryBytes: 24 << 20,
  pageBytes: 4096,
  costs: {
    ...sparcstation,
    instructionNs: stated(77, 'about 13 MIPS'),
    spriteRpcPathNs: fitted(78_000, 'Sprite RPC: null call about 1 ms'),
  },
});

/**
 * The machine of the measurements of the log-structured file system (8.7 SPECmarks, 32 MB). Two constants are fitted to
 * them, the rest is the SPARCstation's. What it takes to make a small file, 5.9 ms in all and several times what the
 * processor's speed would suggest, is carried by the lookup of its name, which the measurements of 1988 on a Sun-3 took
 * with a handful of names: here a directory of 10,000 is scanned.
 */
export const sun4x260: MachineType = /* @__PURE__ */ defineMachineType({
  name: 'sun4-260',
  description: 'Sun-4/260 file server, 10 MIPS, 32 MB',
  processors: 1,
  memoryBytes: 32 << 20,
  pageBytes: 8192,
  costs: {
    ...sparcstation,
    componentLookupNs: fitted(4_940_000, 'Sprite LFS: 10,000 files of 1 KB are made at 170 files/s'),
    recoveredFileNs: fitted(1_202_000, 'Sprite LFS: recovery of 10 MB in files of 1 KB takes 21 s'),
  },
});

/** No row of its own identifies it: the SPARCstation's table with a server's memory. */
export const sun4x280: MachineType = /* @__PURE__ */ defineMachineType({
  name: 'sun4-280',
  description: 'Sun-4/280 file server, 10 MIPS, 128 MB',
  processors: 1,
  memoryBytes: 128 << 20,
  pageBytes: 8192,
  costs: sparcstation,
});
