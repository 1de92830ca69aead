/**
 * The slots: names, what they promise (by type), how long their boards live, how many there may be.
 *
 * `Slots` has one board each; `ManySlots` several named instances (`disk.0`, `storage:/src`). Both are open to
 * declaration merging, so that an outside package can add a slot; it then tells the facts with `defineSlot`.
 */
import type { Vm } from './address-space.ts';
import type { Internet, Locator } from './addresses.ts';
import type { BlockCache } from './block-cache.ts';
import type { CleaningPolicy } from './cleaner.ts';
import type { Disk } from './disk.ts';
import type { Ipc } from './ipc.ts';
import type { Memory, MemoryPolicy } from './memory.ts';
import type { Naming } from './naming.ts';
import type { Medium, Nic } from './network.ts';
import type { Nvram } from './nvram.ts';
import type { Processors, Scheduler } from './processors.ts';
import type { Recovery } from './recovery.ts';
import type { Server } from './servers.ts';
import type { Storage } from './storage.ts';
import type { FileProtocol, ObjectKind, Streams } from './streams.ts';
import type { SystemCalls } from './system-calls.ts';
import type { Transport } from './transport.ts';

export interface Slots {
  medium: Medium;
  processors: Processors;
  memory: Memory;
  nvram: Nvram;
  scheduler: Scheduler;
  locator: Locator;
  internet: Internet;
  transport: Transport;
  ipc: Ipc;
  naming: Naming;
  memoryPolicy: MemoryPolicy;
  blockCache: BlockCache;
  cleaner: CleaningPolicy;
  streams: Streams;
  recovery: Recovery;
  vm: Vm;
  systemCalls: SystemCalls;
}

export interface ManySlots {
  nic: Nic;
  disk: Disk;
  storage: Storage;
  /** Registers with `streams`; never required. */
  fileCache: FileProtocol;
  /** Registers with `streams`; never required. */
  objects: ObjectKind;
  /** Reached by message; never required. */
  servers: Server;
}

export type OneSlot = keyof Slots & string;
export type ManySlot = keyof ManySlots & string;
export type AnySlot = OneSlot | ManySlot;
export type AnySlots = Slots & ManySlots;

/** `cluster`: the run. `machine`: until the machine is taken away, so it survives crashes. `boot`: until crash or halt. */
export type Lifetime = 'cluster' | 'machine' | 'boot';

export interface SlotFacts {
  readonly slot: string;
  readonly lifetime: Lifetime;
  readonly many: boolean;
  /** Registers with a switch, so no board may require it. */
  readonly registers: boolean;
  /** The contract's version now, and the oldest one that boards may still be written against. */
  readonly contract: { readonly current: number; readonly floor: number };
}

/** Declares a slot: for this package's own table, and for outside packages that merge one into `Slots` or `ManySlots`. */
export function defineSlot(
  slot: string,
  lifetime: Lifetime,
  o: {
    readonly many?: boolean;
    readonly registers?: boolean;
    readonly contract?: SlotFacts['contract'];
  } = {},
): SlotFacts {
  return Object.freeze({
    slot,
    lifetime,
    many: o.many ?? false,
    registers: o.registers ?? false,
    contract: o.contract ?? { current: 1, floor: 1 },
  });
}

/** The facts of the slots in this package, bottom to top. */
export const slotFacts: readonly SlotFacts[] = /* @__PURE__ */ Object.freeze([
  defineSlot('medium', 'cluster'),
  defineSlot('processors', 'machine'),
  defineSlot('memory', 'machine'),
  defineSlot('nvram', 'machine'),
  defineSlot('nic', 'machine', { many: true }),
  defineSlot('disk', 'machine', { many: true }),
  defineSlot('scheduler', 'boot'),
  defineSlot('locator', 'boot'),
  defineSlot('internet', 'boot'),
  defineSlot('transport', 'boot'),
  defineSlot('ipc', 'boot'),
  defineSlot('naming', 'boot'),
  defineSlot('memoryPolicy', 'boot'),
  defineSlot('blockCache', 'boot'),
  defineSlot('cleaner', 'boot'),
  defineSlot('storage', 'boot', { many: true }),
  defineSlot('streams', 'boot'),
  defineSlot('recovery', 'boot'),
  defineSlot('fileCache', 'boot', { many: true, registers: true }),
  defineSlot('objects', 'boot', { many: true, registers: true }),
  defineSlot('vm', 'boot'),
  defineSlot('servers', 'boot', { many: true, registers: true }),
  defineSlot('systemCalls', 'boot'),
]);
