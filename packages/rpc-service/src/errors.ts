/** What a developer can do wrong with any transport, and what one tells its callers. */
import { BackplaneError, type HostId, KernelError } from '@backplane/slots';
import type { TransportTraits } from './traits.ts';

export const procedureTaken = (
  board: string,
  machine: string,
  id: number,
  name: string,
  other: string,
): BackplaneError =>
  new BackplaneError(
    'PROCEDURE_TAKEN',
    { board, machine, id, name, other },
    `${board} on ${machine}: procedure ${id} cannot be served as "${name}", because "${other}" has that number.`,
    'Give one of the two procedures another number, or take the first registration back before the second.',
  );

export const messageTooLarge = (
  { board, limits }: TransportTraits,
  machine: string,
  what: string,
  parametersBytes: number,
  dataBytes: number,
): BackplaneError =>
  new BackplaneError(
    'MESSAGE_TOO_LARGE',
    { board, machine, what, parametersBytes, dataBytes },
    `${board} on ${machine}: ${what} has ${parametersBytes} bytes of parameters and ${dataBytes} of data; a message has at most ${limits.parametersBytes} and ${limits.dataBytes}.`,
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
