/**
 * How long a client waits (`src/kernel/rpc/rpcInit.c`). Each silent wait doubles the next one up to a cap; eight of them and
 * the server is called dead:
 *
 *   Ethernet   .1 + .2 + .4 + .8 + 1 + 1 + 1 + 1 = 5.5 s     large  .5 + 7 x 1 = 7.5 s
 *   internet   .5 + 1 + 2 + 5 x 4 = 23.5 s                   large  1 + 2 + 6 x 4 = 27 s
 */
import { ms, seconds } from '@backplane/engine';

export interface RetryTimes {
  readonly firstNs: number;
  /** First wait of a call whose request or reply is larger than `largeBytes`. */
  readonly firstLargeNs: number;
  readonly silentMaxNs: number;
  /** Cap while the server acknowledges: it is alive and works on it. */
  readonly acknowledgedMaxNs: number;
}

export const ethernetTimes: RetryTimes = {
  firstNs: /* @__PURE__ */ ms(100),
  firstLargeNs: /* @__PURE__ */ ms(500),
  silentMaxNs: /* @__PURE__ */ seconds(1),
  acknowledgedMaxNs: /* @__PURE__ */ seconds(5),
};

export const internetTimes: RetryTimes = {
  firstNs: /* @__PURE__ */ ms(500),
  firstLargeNs: /* @__PURE__ */ seconds(1),
  silentMaxNs: /* @__PURE__ */ seconds(4),
  acknowledgedMaxNs: /* @__PURE__ */ seconds(5),
};

export const triesMax = 8;
/** Acknowledgements of one call after which the server is called hung: a warning, the call goes on. */
export const acksMax = 10;
/** Parameters and data together; what `firstLargeNs` begins at. */
export const largeBytes = 1024;
/** A client that was turned away waits at least so long, and at most so long. */
export const nackMinNs: number = /* @__PURE__ */ seconds(2);
export const nackMaxNs: number = /* @__PURE__ */ seconds(15);
/** How long a server that turned a client away is spared: its calls go through one channel. */
export const spareNs: number = /* @__PURE__ */ seconds(10);
