/** Captures, dissectors, timelines. */
export type { DissectedProtocol } from './dissector.ts';
export { dissectorFor } from './dissector.ts';
export { Lanes } from './lanes.ts';
export { captureHeader, capturePacket } from './pcapng.ts';
export type { Annotations, CounterUnit, EventDetails, TrackId } from './perfetto.ts';
export { PerfettoTrace } from './perfetto.ts';
