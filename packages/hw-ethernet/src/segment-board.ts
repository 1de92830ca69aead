/** The board for slot `medium`: one Ethernet segment for the whole cluster. */
import { type Component, defineComponent, type OptionsSchema, type Place } from '@backplane/slots';
import { ETHERNET } from '@backplane/wire';
import { z } from 'zod';
import { cableTooLong, wrongPosition } from './errors.ts';
import { Segment } from './segment.ts';
import { propagationNsMax } from './timing.ts';
import { version } from './version.ts';

export interface EthernetOptions {
  /** How long the cable is; 500 when absent, one coaxial segment. */
  readonly lengthMeters?: number | undefined;
  /** Cable between one station and the next; 2.5 when absent, the distance of the marks on the cable. */
  readonly stationSpacingMeters?: number | undefined;
  /** Where machines are tapped in, by their names; those that are not named are spaced. */
  readonly positions?: Readonly<Record<string, number>> | undefined;
  /** Time of a signal for one metre; 4.33 when absent, 0.77 of the speed of light. */
  readonly propagationNsPerMeter?: number | undefined;
  /** Longest payload of a frame; 1500 when absent. */
  readonly mtuBytes?: number | undefined;
}
type Chosen = { readonly [K in keyof EthernetOptions]-?: NonNullable<EthernetOptions[K]> };

const options: OptionsSchema<EthernetOptions, Chosen> = z.strictObject({
  lengthMeters: z
    .number()
    .min(0)
    .max(1100)
    .default(500)
    .describe('how long the cable is: one coaxial segment has at most 500 m, two with a repeater 1000'),
  stationSpacingMeters: z
    .number()
    .min(0)
    .max(1100)
    .default(2.5)
    .describe('cable between one station and the next, in order of attachment; past its end they begin anew'),
  positions: z
    .record(z.string(), z.number().min(0))
    .default({})
    .describe('where machines are tapped in, in metres from one end, by name; the others are spaced'),
  propagationNsPerMeter: z
    .number()
    .min(0)
    .max(10)
    .default(4.33)
    .describe('time that a signal takes for one metre; 4.33 is 0.77 of the speed of light'),
  mtuBytes: z
    .int()
    .min(46)
    .max(8192)
    .default(ETHERNET.mtuBytes)
    .describe('longest payload of a frame; beyond 1500 it is no longer Ethernet, but it has been measured'),
});

export const ethernet: Component<'medium', Partial<EthernetOptions>> = /* @__PURE__ */ defineComponent({
  name: '@backplane/hw-ethernet',
  version,
  slot: 'medium',
  contract: 1,
  requires: [],
  options,
  create: (_granted, chosen, place) => {
    const segment = new Segment(place, { mtuBytes: chosen.mtuBytes, positionNs: cable(chosen) });
    register(place, segment);
    return segment;
  },
});

/** Where each next station is tapped in, in nanoseconds of propagation from the end of the cable. */
function cable(o: Chosen): (station: string) => number {
  const { lengthMeters, stationSpacingMeters, positions, propagationNsPerMeter } = o;
  if (lengthMeters * propagationNsPerMeter > propagationNsMax) {
    throw cableTooLong(lengthMeters, propagationNsPerMeter, propagationNsMax);
  }
  let nextMeters = 0;
  return (station) => {
    let meters = positions[station];
    if (meters === undefined) {
      if (nextMeters > lengthMeters) nextMeters = 0;
      meters = nextMeters;
      nextMeters += stationSpacingMeters;
    } else if (meters > lengthMeters) throw wrongPosition(station, meters, lengthMeters);
    return Math.round(meters * propagationNsPerMeter);
  };
}

function register({ metrics }: Place, { counts, delivery: { struck } }: Segment): void {
  metrics.register('network.frames', () => counts.frames);
  metrics.register('network.bytes', () => counts.bytes);
  metrics.register('network.collisions', () => counts.collisions);
  metrics.register('network.giveUps', () => counts.giveUps);
  metrics.register('network.fragments', () => counts.fragments);
  metrics.register('network.busySeconds', () => counts.busyNs / 1e9);
  metrics.register('network.collisionSeconds', () => counts.collisionNs / 1e9);
  metrics.register('network.faults.dropped', () => struck.drop);
  metrics.register('network.faults.delayed', () => struck.delay);
  metrics.register('network.faults.duplicated', () => struck.duplicate);
  metrics.register('network.faults.damaged', () => struck.damage);
}
