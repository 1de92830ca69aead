/** What a client counts. */
import type { Metrics } from '@backplane/slots';

export class Counters {
  lookups = 0;
  nameHits = 0;
  getattrs = 0;
  attributeHits = 0;
  changesSeen = 0;
  reads = 0;
  writes = 0;
  bytesRead = 0;
  bytesWritten = 0;
  sillyRenames = 0;
  writeErrors = 0;
  waits = 0;
}

export function register(metrics: Metrics, c: Counters): void {
  for (const name of Object.keys(c) as (keyof Counters)[])
    metrics.register(`cache.nfs.${name}`, () => c[name]);
}
