/**
 * Times of a host and of an image. An image counts nanoseconds from the cluster's epoch in 1988, in a JavaScript number:
 * exact for 104 days on either side, else to a quarter of a microsecond, which is also what the host's calls can set.
 */
import { CLUSTER_EPOCH_SECONDS } from '@backplane/engine';

const epochNs = BigInt(CLUSTER_EPOCH_SECONDS) * 1_000_000_000n;

/** @param ns since 1970 */
export const imageNs = (ns: bigint): number => Number(ns - epochNs);

/** Seconds since 1970. */
export const hostSeconds = (ns: number): number => {
  const whole = Math.floor(ns / 1e9);
  return CLUSTER_EPOCH_SECONDS + whole + (ns - whole * 1e9) / 1e9;
};
