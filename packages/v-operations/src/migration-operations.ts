/**
 * The migration server of each host, group `migrationServers`: moves programs of its host to other hosts. And the placement
 * server, group `placementServers`, which finds a host for one.
 */
import type { EntityId } from '@backplane/slots';
import { entity, text, word } from './field.ts';
import { type Operation, operation } from './operation.ts';

/** Asked beside the root. Replies when the program runs there; on any failure it runs on where it was. */
export const migrateProgram: Operation<
  {
    readonly root: EntityId;
    /** The program manager of the host that is to have it; `noEntity`: any that will. */
    readonly to: EntityId;
  },
  {
    readonly manager: EntityId;
    /** Times that pages were copied while it ran. */
    readonly rounds: number;
    readonly pagesBefore: number;
    /** Copied while it stood still. */
    readonly pagesFrozen: number;
    readonly frozenMicroseconds: number;
  }
> = operation(0x0e01, 'migrateProgram', {
  request: { root: entity, to: entity },
  reply: { manager: entity, rounds: word, pagesBefore: word, pagesFrozen: word, frozenMicroseconds: word },
});

/** A host for a program that needs so much; never the asker's own when `elsewhere` is 1. @see queryLoad */
export const selectHost: Operation<
  { readonly memoryBytes: number; readonly elsewhere: number; readonly machineType: string },
  { readonly manager: EntityId; readonly runnable: number; readonly answers: number }
> = operation(0x0f01, 'selectHost', {
  request: { memoryBytes: word, elsewhere: word, machineType: text },
  reply: { manager: entity, runnable: word, answers: word },
});
