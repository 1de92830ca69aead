/**
 * A machine: what a board is told about the hardware and the boot that it is part of, and the primitive costs that
 * it charges. Boards never contain a published result; they charge what they do in these primitives.
 */
import type { Engine, RandomStream, Scope } from '@backplane/engine';
import type { CostSource, NotedCost } from './evidence.ts';
import type { Natives } from './native.ts';
import type { HostId, Undo } from './vocabulary.ts';

/** What processor time is spent on. The numbers are the engine's charge categories. */
export const Busy = { user: 0, kernel: 1, network: 2, files: 3, memory: 4, interrupt: 5 } as const;
export type BusyCategory = keyof typeof Busy;
export const busyCategories: readonly BusyCategory[] = [
  'user',
  'kernel',
  'network',
  'files',
  'memory',
  'interrupt',
];

/**
 * The primitives of a machine type: nanoseconds of its processor for one step, unless the name says otherwise.
 * Per-byte costs may be fractions. Both kernels use the same table of a machine.
 */
export interface MachineCosts {
  /** One instruction of ordinary code: what programs and compilers are charged in. */
  readonly instructionNs: number;
  /** Entering and leaving the kernel. */
  readonly trapNs: number;
  /** Giving a processor to another thread, charged when a thread that had blocked runs again. */
  readonly contextSwitchNs: number;
  /** Moving one byte from memory to memory. */
  readonly copyNsPerByte: number;
  /** One byte of an internet checksum. */
  readonly checksumNsPerByte: number;
  /** Handing one packet to the network interface. */
  readonly packetSendNs: number;
  /** The interrupt of a packet that completes a message, up to the wake-up of who waits for it. */
  readonly packetReceiveNs: number;
  /** The interrupt of a packet that leaves its message incomplete. */
  readonly fragmentReceiveNs: number;
  /** The interface's pause between two queued packets: the next one is started by the transmit-done interrupt. */
  readonly transmitTurnaroundNs: number;
  /** The interrupt that reports a disk request done, up to the start of the next one. */
  readonly diskInterruptNs: number;
  /** Noting in the host monitor that a peer is alive, once for each arriving RPC packet. */
  readonly hostMonitorNs: number;
  /** Sprite RPC's own code, once on each side of a call. */
  readonly spriteRpcPathNs: number;
  /** ONC RPC's own code with its external data representation, once on each side of a call. */
  readonly sunRpcPathNs: number;
  /** VMTP's own code, once on each side of a transaction. */
  readonly vmtpPathNs: number;
  /** One operation on an open object at its manager, by V's uniform I/O: checks, finding the block. */
  readonly uioNs: number;
  /** One byte of a byte stream, got or put by the run-time library. */
  readonly streamNsPerByte: number;
  /** One operation on the block cache: find, insert, put on a list. */
  readonly blockOperationNs: number;
  /** Looking up one component: scanning the directory and fetching the descriptor. */
  readonly componentLookupNs: number;
  /** A name in the client's half: matching prefixes, building the request. */
  readonly clientNamingNs: number;
  /** Getting or setting the attributes of one object. */
  readonly attributesNs: number;
  /** The client's half of an open or of its close. */
  readonly openClientNs: number;
  /** The server's half of an open or of its close. */
  readonly openServerNs: number;
  /** Changing one page-table entry and what hangs on it. */
  readonly pageTableNs: number;
  /** Getting hold of one page frame. */
  readonly pageAllocateNs: number;
  /** Creating and ending a process, pages excepted. */
  readonly processCreateNs: number;
  /** V: making and ending a process descriptor; pages excepted. */
  readonly descriptorCreateNs: number;
  /** A log-structured storage: entering one file into its tables again after a crash, reading the log excepted. */
  readonly recoveredFileNs: number;
}

export interface MachineType {
  readonly name: string;
  readonly description: string;
  readonly processors: number;
  readonly memoryBytes: number;
  readonly pageBytes: number;
  readonly costs: MachineCosts;
  readonly sources: { readonly [K in keyof MachineCosts]: CostSource };
}

/** Declares a machine type from costs that each carry their source. */
export function defineMachineType(
  type: Omit<MachineType, 'costs' | 'sources'> & {
    readonly costs: { readonly [K in keyof MachineCosts]: NotedCost };
  },
): MachineType {
  const entries = Object.entries(type.costs) as [keyof MachineCosts, NotedCost][];
  return Object.freeze({
    ...type,
    costs: Object.freeze(
      Object.fromEntries(entries.map(([name, c]) => [name, c.value])) as unknown as MachineCosts,
    ),
    sources: Object.freeze(
      Object.fromEntries(
        entries.map(([name, c]) => [name, { evidence: c.evidence, source: c.source }]),
      ) as unknown as MachineType['sources'],
    ),
  });
}

/**
 * Numbers that boards keep for the reports. A board registers a reader once; nothing is paid until somebody reads.
 * Names are dotted and stable, with the unit at the end where it is not a count: `rpc.calls`, `disk.busySeconds`.
 * The same name on several machines is summed; `max` in the registration asks for the largest instead.
 */
export interface Metrics {
  register(name: string, read: () => number, combine?: 'sum' | 'max'): Undo;
}

/** The machine as a board sees it: its identity, its costs, its life. */
export interface Machine {
  /** Name on the network, such as `allspice`. */
  readonly name: string;
  readonly host: HostId;
  /** The role it plays in the cluster description: `client`, `server`, ... */
  readonly role: string;
  readonly type: MachineType;
  /** Seconds of the wall clock at boot; rises by at least one with every boot. Never 0. */
  readonly bootId: number;
  /** Owns this board's threads and timers: the machine's life for hardware, one boot for kernel boards. */
  readonly scope: Scope;
  readonly engine: Engine;
  readonly metrics: Metrics;
  /** The cluster's. */
  readonly natives: Natives;
  /** An independent stream of random numbers for this purpose on this machine. */
  random(purpose: string): RandomStream;
}
