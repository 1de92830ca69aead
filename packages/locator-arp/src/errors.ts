/** What a developer can do wrong with the locator, and what it tells its callers. */
import { BackplaneError, type HostId, KernelError, nearest } from '@backplane/slots';

export const noSuchInterface = (
  machine: string,
  wanted: string,
  interfaces: readonly string[],
): BackplaneError => {
  const near = nearest(wanted, interfaces);
  return new BackplaneError(
    'WRONG_OPTION',
    { machine, wanted, interfaces },
    wanted === ''
      ? `@backplane/locator-arp on ${machine}: there are ${interfaces.length} network interfaces (${interfaces.join(', ')}) and the option "nic" names none.`
      : `@backplane/locator-arp on ${machine}: there is no network interface "${wanted}" among ${interfaces.join(', ')}.`,
    `Set the option "nic" to ${near === undefined ? 'one of them' : `"${near}"`}.`,
  );
};

/** Nobody answered for the host. */
export const nobodyAnswers = (host: HostId): KernelError =>
  new KernelError('peerDown', `nobody answers for host ${host}`);
