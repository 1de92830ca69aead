/** What every transport does to a call; a board adds how its messages travel. */

export { CallCounters } from './call-counters.ts';
export { EntitiesOverCalls } from './entities/entities-over-calls.ts';
export { fellSilent, messageTooLarge, procedureTaken, rebooted, senselessReply } from './errors.ts';
export { Greetings } from './greetings.ts';
export { LazyTimer } from './lazy-timer.ts';
export { payloadBytes } from './payloads.ts';
export type { PeerMonitorParts, PeerState, Pings } from './peer-monitor.ts';
export { PeerMonitor } from './peer-monitor.ts';
export type { Lives, Outcome, Refusal, ServedCallsParts } from './served-calls.ts';
export { refusalKind, ServedCalls } from './served-calls.ts';
export type { Served } from './served-procedures.ts';
export { ServedProcedures } from './served-procedures.ts';
export type { RpcTraceKinds } from './trace-kinds.ts';
export type { MessageLimits, TransportTraits } from './traits.ts';
export type { Courier, Found, TypedTransportParts } from './typed-transport.ts';
export { TypedTransport } from './typed-transport.ts';
export { WatchList } from './watch-list.ts';
