/**
 * The communication server of each kernel, group `communicationManagers`: which processes of its host belong to which groups.
 * Nobody has a list of a group's members; each host knows its own. Asked beside the process that is meant.
 */
import type { EntityId } from '@backplane/slots';
import { bytes, entity, word } from './field.ts';
import { type Operation, operation } from './operation.ts';

const nothing = {};
type Nothing = typeof nothing;

/** A group that nobody had before. Whoever knows its number may send to it. */
export const createGroup: Operation<Nothing, { readonly group: EntityId }> = operation(
  0x0401,
  'createGroup',
  { request: nothing, reply: { group: entity } },
);

export const joinGroup: Operation<{ readonly group: EntityId; readonly process: EntityId }, Nothing> =
  operation(0x0402, 'joinGroup', { request: { group: entity, process: entity }, reply: nothing });

export const leaveGroup: Operation<{ readonly group: EntityId; readonly process: EntityId }, Nothing> =
  operation(0x0403, 'leaveGroup', { request: { group: entity, process: entity }, reply: nothing });

/** The members on this host: a host without any is silent, so that a question to all hosts gets as many replies as it should. */
export const queryGroup: Operation<
  { readonly group: EntityId },
  { readonly count: number; readonly members: Uint8Array }
> = operation(0x0404, 'queryGroup', { request: { group: entity }, reply: { count: word, members: bytes } });
