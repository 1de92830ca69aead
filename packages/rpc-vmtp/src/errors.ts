/** What a developer can do wrong with the transport, and what it tells its callers. */
import { BackplaneError, type EntityId, type HostId, KernelError } from '@backplane/slots';

export const board = '@backplane/rpc-vmtp';

export const internetMissing = (machine: string): BackplaneError =>
  new BackplaneError(
    'SLOT_EMPTY',
    { board, machine, slot: 'internet' },
    `${board} on ${machine}: the option "carrier" is "internet", and nothing fills the slot "internet".`,
    'Plug in a board for the slot "internet", or leave the carrier at "ethernet".',
  );

export const routeTooNarrow = (machine: string, packetBytes: number, leastBytes: number): BackplaneError =>
  new BackplaneError(
    'ROUTE_TOO_NARROW',
    { board, machine, packetBytes, leastBytes },
    `${board} on ${machine}: the route carries packets of ${packetBytes} bytes; every VMTP host must take ${leastBytes}.`,
    'Use a link or an internet board with larger packets.',
  );

export const notHere = (machine: string, entity: EntityId, what: string): BackplaneError =>
  new BackplaneError(
    'ENTITY_NOT_HERE',
    { board, machine, entity, what },
    `${board} on ${machine}: entity ${entity} cannot ${what}, because it is not attached to this host.`,
    'Attach it first: entities.attach(entity, service).',
  );

export const entityTaken = (machine: string, entity: EntityId): BackplaneError =>
  new BackplaneError(
    'ENTITY_TAKEN',
    { board, machine, entity },
    `${board} on ${machine}: entity ${entity} cannot be attached, because it is here already, or is a group.`,
    'Mint a number for each entity, and detach it before it is attached again.',
  );

// ---- operating errors ----

/** The server has executed the call, and no longer has the response. */
export const responseLost = (host: HostId): KernelError =>
  new KernelError('peerDown', `host ${host} no longer has the response`);
