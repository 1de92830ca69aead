/** What both sides of a call do to a payload, wherever it goes. */
import { charge } from '@backplane/engine';
import { Busy, type Machine, type Payload } from '@backplane/slots';
import { messageTooLarge } from './errors.ts';
import type { TransportTraits } from './traits.ts';

/** Both areas. */
export const payloadBytes = ({ parameters, data }: Payload): number => parameters.length + data.length;

/** @throws BackplaneError `MESSAGE_TOO_LARGE` */
export function checkSize(
  traits: TransportTraits,
  machine: Machine,
  what: 'request' | 'reply',
  procedure: string,
  { parameters, data }: Payload,
): void {
  const { limits } = traits;
  if (parameters.length <= limits.parametersBytes && data.length <= limits.dataBytes) return;
  throw messageTooLarge(traits, machine.name, `the ${what} of ${procedure}`, parameters.length, data.length);
}

/** Charges the running thread for a copy of it. */
export function chargeCopy({ type }: Machine, payload: Payload): void {
  const ns = Math.round(type.costs.copyNsPerByte * payloadBytes(payload));
  if (ns > 0) charge(ns, Busy.network);
}
