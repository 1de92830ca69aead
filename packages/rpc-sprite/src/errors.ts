/** What a developer can do wrong with the transport, and what it tells its callers. */
import {
  BackplaneError,
  type HostId,
  KernelError,
  type KernelErrorKind,
  kernelErrorFrom,
  nearest,
} from '@backplane/slots';
import { refusals } from './layout.ts';

const board = '@backplane/rpc-sprite';

export const noSuchInterface = (
  machine: string,
  wanted: string,
  interfaces: readonly string[],
): BackplaneError => {
  const near = nearest(wanted, interfaces);
  return new BackplaneError(
    'WRONG_OPTION',
    { board, machine, wanted, interfaces },
    wanted === ''
      ? `${board} on ${machine}: there are ${interfaces.length} network interfaces (${interfaces.join(', ')}) and the option "nic" names none.`
      : `${board} on ${machine}: there is no network interface "${wanted}" among ${interfaces.join(', ')}.`,
    `Set the option "nic" to ${near === undefined ? 'one of them' : `"${near}"`}.`,
  );
};

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

export const procedureTaken = (machine: string, id: number, name: string, other: string): BackplaneError =>
  new BackplaneError(
    'PROCEDURE_TAKEN',
    { board, machine, id, name, other },
    `${board} on ${machine}: procedure ${id} cannot be served as "${name}", because "${other}" has that number.`,
    'Give one of the two procedures another number, or take the first registration back before the second.',
  );

export const messageTooLarge = (
  machine: string,
  what: string,
  parametersBytes: number,
  dataBytes: number,
): BackplaneError =>
  new BackplaneError(
    'MESSAGE_TOO_LARGE',
    { board, machine, what, parametersBytes, dataBytes },
    `${board} on ${machine}: ${what} has ${parametersBytes} bytes of parameters and ${dataBytes} of data; a message has at most 1024 and 16384.`,
    'Cut it: maxParametersBytes and maxDataBytes of the transport tell the limits.',
  );

// ---- operating errors ----

export const fellSilent = (host: HostId): KernelError =>
  new KernelError('peerDown', `host ${host} does not answer`);

export const rebooted = (host: HostId): KernelError =>
  new KernelError('peerDown', `host ${host} has rebooted; the call may have been executed or not`);

/** The reply bytes are not a value of the procedure's type. */
export const senselessReply = (host: HostId, procedure: string): KernelError =>
  new KernelError('ioError', `the reply of host ${host} to ${procedure} does not decode`);

/** The kind that a reply with ERROR names. Zero is itself an error, and so not a kind. */
export const kindIn = (code: number): KernelErrorKind =>
  code === refusals.serviceDisabled ? 'recovering' : kernelErrorFrom(code);
