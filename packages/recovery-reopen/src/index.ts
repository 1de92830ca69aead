/** Slot `recovery`. */
export type { ReopenRecoveryOptions } from './board.ts';
export { reopenRecovery } from './board.ts';
