/** What the locator tells its callers. */
import { type HostId, KernelError } from '@backplane/slots';

/** Nobody answered for the host. */
export const nobodyAnswers = (host: HostId): KernelError =>
  new KernelError('peerDown', `nobody answers for host ${host}`);
