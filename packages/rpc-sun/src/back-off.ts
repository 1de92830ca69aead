/**
 * How long a client waits for a reply. As Sun's mounts over UDP: 1.1 s for the first (`timeo=11`), then twice as long each
 * time (mount_nfs(1M)); here up to 20 s instead of a minute, because the end of the wait is also when a death is noticed.
 * After a number of silent waits, and each one from then on, the server is asked with a null call whether it lives; that is
 * sent as often.
 *
 *   with the default of three:   1.1 + 2.2 + 4.4 = 7.7 s for the call, the same for the null call; 15.4 s in all
 */
import { seconds } from '@backplane/engine';

const waitMaxNs: number = /* @__PURE__ */ seconds(20);

export interface BackOff {
  readonly firstNs: number;
  /** Silent waits of a call before the question is raised whether the server lives, and null calls then. */
  readonly tries: number;
}

export const longer = (waitNs: number): number => Math.min(2 * waitNs, waitMaxNs);
