/** What a developer can do wrong with a segment, an interface or a fault. */
import { BackplaneError } from '@backplane/slots';

const hex = (address: number): string =>
  (address.toString(16).padStart(12, '0').match(/../g) ?? []).join(':');

export const frameTooLong = (station: string, lengthBytes: number, mtuBytes: number): BackplaneError =>
  new BackplaneError(
    'FRAME_TOO_LONG',
    { station, lengthBytes, mtuBytes },
    `${station} sends a frame of ${lengthBytes} payload bytes; the segment carries at most ${mtuBytes}.`,
    'Cut the message into fragments of mtuBytes, which every interface tells.',
  );

export const stationBusy = (station: string): BackplaneError =>
  new BackplaneError(
    'STATION_BUSY',
    { station },
    `${station} sends while its last frame is still under way.`,
    'Send the next frame after `sent` was called for the last one.',
  );

export const addressTaken = (station: string, other: string, address: number): BackplaneError =>
  new BackplaneError(
    'ADDRESS_TAKEN',
    { station, other, address },
    `${station} has the station address ${hex(address)}, which ${other} has already.`,
    'Give each machine its own host number, and each of its interfaces its own option "unit".',
  );

export const wrongPosition = (station: string, meters: number, lengthMeters: number): BackplaneError =>
  new BackplaneError(
    'WRONG_OPTION',
    { station, meters, lengthMeters },
    `${station} is to be tapped in at ${meters} m of a cable of ${lengthMeters} m.`,
    'Change the option "positions" or "lengthMeters" of the medium.',
  );

export const cableTooLong = (lengthMeters: number, nsPerMeter: number, nsMax: number): BackplaneError =>
  new BackplaneError(
    'WRONG_OPTION',
    { lengthMeters, nsPerMeter, nsMax },
    `A signal takes ${lengthMeters * nsPerMeter} ns from end to end; at most ${nsMax} ns are modelled.`,
    'Lower the option "lengthMeters" or "propagationNsPerMeter" of the medium.',
  );

export const linkTypeTaken = (machine: string, type: number): BackplaneError =>
  new BackplaneError(
    'LINK_TYPE_TAKEN',
    { machine, type },
    `On ${machine} the frames of link type 0x${type.toString(16)} are already taken by another board.`,
    'One board takes the frames of one type; the other has to undo its registration first.',
  );

export const notAGroup = (machine: string, address: number): BackplaneError =>
  new BackplaneError(
    'NOT_A_GROUP',
    { machine, address },
    `${machine} joins ${hex(address)}, which is the address of one station.`,
    'A group address has the lowest bit of its first octet set; broadcast needs no joining.',
  );

export const wrongFault = (rule: string, option: string, value: number, remedy: string): BackplaneError =>
  new BackplaneError('WRONG_FAULT', { rule, option, value }, `${rule}: ${option} is ${value}.`, remedy);
