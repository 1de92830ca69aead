/** What a developer can do wrong with the transport, and what it tells its callers. */
import { BackplaneError, type KernelErrorKind, kernelErrorFrom } from '@backplane/slots';
import { refusals } from './layout.ts';

export const board = '@backplane/rpc-sprite';

export const internetMissing = (machine: string): BackplaneError =>
  new BackplaneError(
    'SLOT_EMPTY',
    { board, machine, slot: 'internet' },
    `${board} on ${machine}: the option "carrier" is "internet", and nothing fills the slot "internet".`,
    'Plug in a board for the slot "internet", or leave the carrier at "ethernet".',
  );

export const wrongServers = (machine: string, servers: number, serversMax: number): BackplaneError =>
  new BackplaneError(
    'WRONG_OPTION',
    { board, machine, servers, serversMax },
    `${board} on ${machine}: ${servers} server processes at boot are more than serversMax, ${serversMax}.`,
    'Raise "serversMax" or lower "servers".',
  );

export const routeTooNarrow = (machine: string, packetBytes: number, leastBytes: number): BackplaneError =>
  new BackplaneError(
    'ROUTE_TOO_NARROW',
    { board, machine, packetBytes, leastBytes },
    `${board} on ${machine}: the route carries packets of ${packetBytes} bytes; 16 fragments of a largest message need ${leastBytes}.`,
    'Use a link or an internet board with larger packets.',
  );

// ---- operating errors ----

/** The kind that a reply with ERROR names. Zero is itself an error, and so not a kind. */
export const kindIn = (code: number): KernelErrorKind =>
  code === refusals.serviceDisabled ? 'recovering' : kernelErrorFrom(code);
