/** A process as a small number, for programs that expect one: the creator's part of its entity, and the low byte of its host's. */
import type { EntityId } from '@backplane/slots';

export const processNumber = (e: EntityId): number =>
  Number.parseInt(e.slice(1, 8), 16) * 0x100 + Number.parseInt(e.slice(14), 16);
