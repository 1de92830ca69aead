/** What both halves count, and under which names the metrics have it. */
import type { Metrics } from '@backplane/slots';

export class Counters {
  // client
  opens = 0;
  versionMisses = 0;
  bytesReadCached = 0;
  bytesReadRemote = 0;
  bytesWrittenCached = 0;
  bytesWrittenRemote = 0;
  bytesFetched = 0;
  bytesWrittenBack = 0;
  blocksDiscarded = 0;
  blocksLost = 0;
  handlesReopened = 0;
  handlesLost = 0;
  survivorsFound = 0;
  survivorsRestored = 0;
  survivorsRefused = 0;
  // server
  consistActions = 0;
  disables = 0;
  recalls = 0;
  invalidations = 0;
  attributeRecalls = 0;
  discards = 0;
  refusals = 0;
  timeouts = 0;
  clientsDropped = 0;
}

/** In this order in reports. */
const names = Object.keys(new Counters()) as (keyof Counters)[];

export function register(metrics: Metrics, counters: Counters): void {
  for (const name of names) metrics.register(`cache.sprite.${name}`, () => counters[name]);
}
