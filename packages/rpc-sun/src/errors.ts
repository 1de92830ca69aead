/** What a developer can do wrong with the transport, and what it tells its callers. */
import { BackplaneError, type HostId, KernelError } from '@backplane/slots';

export const board = '@backplane/rpc-sun';

export const wrongDaemons = (machine: string, daemons: number, daemonsMax: number): BackplaneError =>
  new BackplaneError(
    'WRONG_OPTION',
    { board, machine, daemons, daemonsMax },
    `${board} on ${machine}: ${daemons} daemons at boot are more than daemonsMax, ${daemonsMax}.`,
    'Raise "daemonsMax" or lower "daemons".',
  );

// ---- operating errors ----

/** The server has executed the call, and no longer knows with what result. */
export const replyForgotten = (host: HostId): KernelError =>
  new KernelError('peerDown', `host ${host} no longer keeps the reply`);
