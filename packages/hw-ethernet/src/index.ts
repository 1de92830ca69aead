/** One 10 Mb/s Ethernet segment, its interfaces, and faults on it. */

export type { Clock, FaultWindow } from './fault-window.ts';
export type {
  ChanceOptions,
  CorruptionOptions,
  DelayOptions,
  DuplicationOptions,
  FaultRule,
  ReorderOptions,
} from './faults.ts';
export {
  corruptionRule,
  delayRule,
  duplicationRule,
  lossRule,
  onewayRule,
  partitionRule,
  reorderRule,
} from './faults.ts';
export { frameBytes } from './frame-bytes.ts';
export type { EthernetInterfaceOptions } from './interface-board.ts';
export { ethernetInterface } from './interface-board.ts';
export type { EthernetOptions } from './segment-board.ts';
export { ethernet } from './segment-board.ts';
export { attemptsMax, gapNs, slotNs, wireNs } from './timing.ts';
export type { FaultKind } from './trace-kinds.ts';
