/** The time server of each kernel, group `timeServers`: the host's clock, and waiting for a while. */
import type { EntityId } from '@backplane/slots';
import { entity, signed, timeNs } from './field.ts';
import { type Operation, operation } from './operation.ts';

const nothing = {};
type Nothing = typeof nothing;

/** Nanoseconds since 1970 by this host's clock. */
export const getTime: Operation<Nothing, { readonly nowNs: number }> = operation(0x0601, 'getTime', {
  request: nothing,
  reply: { nowNs: timeNs },
});

export const setTime: Operation<{ readonly nowNs: number }, Nothing> = operation(0x0602, 'setTime', {
  request: { nowNs: timeNs },
  reply: nothing,
});

/** Makes the clock gain or lose so much, little by little: it never goes back. */
export const slewTime: Operation<{ readonly microseconds: number }, Nothing> = operation(0x0603, 'slewTime', {
  request: { microseconds: signed },
  reply: nothing,
});

/** Replies after this time. `woken`: 1 when somebody woke it before. */
export const delay: Operation<{ readonly spanNs: number }, { readonly woken: number }> = operation(
  0x0604,
  'delay',
  { request: { spanNs: timeNs }, reply: { woken: signed } },
);

/** Ends the delay of a process of this host. `woken`: 0 when it was in none. */
export const wake: Operation<{ readonly process: EntityId }, { readonly woken: number }> = operation(
  0x0605,
  'wake',
  { request: { process: entity }, reply: { woken: signed } },
);

/** A host tells the others of the group `timeSynchronizers` what its clock shows: a datagram. */
export const announceTime: Operation<{ readonly process: EntityId; readonly nowNs: number }, Nothing> =
  operation(0x0d01, 'announceTime', { request: { process: entity, nowNs: timeNs }, reply: nothing });
