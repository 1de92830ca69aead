/**
 * How long hosts wait for each other, and how often they try (RFC 1045, sections 2.5.3 to 2.5.5). Where the RFC leaves a
 * number open or its two places differ, the choice is ours and says so.
 *
 *   timer   who waits for what                                        how long
 *   TC1     client: a response, or another sign of the server         TC2, and what servers take: 200 ms
 *   TC2     client: the same, after it has asked again                two round trips, 100 ms at least; doubled for each
 *                                                                     silence in a row
 *   TC3     client: the rest of a response                            10 packet times, two round trips and four of the gaps
 *                                                                     that it asked for, doubled too
 *   TC4     client: more responses of a group                         the user's
 *   TS1     server: the rest of a request                             as TC3
 *   TS2     server: any sign of a client whose request it processes   longer than the client itself tries
 *   TS3     server: an acknowledgement, after it has asked            as TC2
 *   TS4     server: before it forgets the client                      four lifetimes of a packet
 *   TS5     server: an acknowledgement of a response with data        TC1, and three times the data's time on the wire
 *
 * While the server says that it works on the request, TC1 doubles up to 2 s: long waits cost few packets.
 */
import { ms, seconds, us } from '@backplane/engine';

/** RequestRetries, ResponseRetries, and those for missing parts: 5 (section 2.5.4). */
export const retriesMax = 5;

/** So often who asks again by way of another host is answered as before; then who is silent is looked for. Ours. */
export const asksMax = 2;

/** At 10 Mb/s, for which the RFC's times are meant. */
export const wireNsPerByte = 800;
/** A largest frame, preamble included: what the units of gaps are parts of. */
const packetTimeNs: number = /* @__PURE__ */ us(1221);
/** Gaps are told in these, up to 255 (section 2.5.6). */
export const gapUnitNs: number = packetTimeNs / 32;
export const gapUnitsMax = 255;
/** How much a gap grows when packets of a group were lost: a quarter of a packet's time. Ours. */
export const gapStep = 8;

/** 90 % of the servers at Stanford answered within that time (section 2.5.5). */
const serviceNs = /* @__PURE__ */ ms(200);
/** Ours: before anything was measured, and the least that TC2 may be, for machines whose processors are busy. */
export const roundTripFirstNs: number = /* @__PURE__ */ ms(10);
const silenceMinNs = /* @__PURE__ */ ms(100);
const silenceMaxNs = /* @__PURE__ */ seconds(1);

/** @param tries silences in a row so far */
export const tc2Ns = (roundTripNs: number, tries: number): number =>
  Math.min(silenceMaxNs, Math.max(silenceMinNs, 2 * roundTripNs) * (1 << tries));

const keptWaitingMaxNs = /* @__PURE__ */ seconds(2);

/** @param kept how often the server has said by now that it works on the request */
export const tc1Ns = (roundTripNs: number, kept: number): number =>
  Math.min(keptWaitingMaxNs, (tc2Ns(roundTripNs, 0) + serviceNs) * (1 << Math.min(kept, 4)));

/** @param gapUnits between packets, as they are sent: several in a row may be lost */
export const tc3Ns = (roundTripNs: number, gapUnits: number, tries: number): number =>
  Math.min(silenceMaxNs, (10 * packetTimeNs + 2 * roundTripNs + 4 * gapUnits * gapUnitNs) * (1 << tries));

export const ts1Ns = (roundTripNs: number, tries: number): number => tc3Ns(roundTripNs, 0, tries);
/** The longest TC1 and all tries after it are 7 s. Ours: the RFC's TC1 + 3 TC2 calls a client dead that may still ask. */
export const ts2Ns: number = /* @__PURE__ */ seconds(10);
export const ts3Ns = (roundTripNs: number, tries: number): number => tc2Ns(roundTripNs, tries);
/** The RFC has 500 ms in one place and seconds in another; at least four lifetimes where requests come without a probe. */
export const ts4Ns: number = /* @__PURE__ */ seconds(60);
/** An entity that has left one host has arrived on another within this: ours, four times what pre-copying leaves to send. */
export const transitMaxNs: number = /* @__PURE__ */ seconds(10);
/** How often it is looked for meanwhile. */
export const transitPauseNs: number = /* @__PURE__ */ ms(100);
/** @param packets of the response */
export const ts5Ns = (roundTripNs: number, packets: number): number =>
  tc1Ns(roundTripNs, 0) + 3 * packets * packetTimeNs;
