/** What a board can do wrong with entities. What the network or another host does is never thrown: it is a code. */
import { BackplaneError, controlBytes, type EntityId, segmentBytesMax } from '@backplane/slots';

export const entityTaken = (machine: string, entity: EntityId): BackplaneError =>
  new BackplaneError(
    'ENTITY_TAKEN',
    { machine, entity },
    `${machine}: entity ${entity} is attached here already.`,
    'Take the first registration back before the second.',
  );

export const groupAttached = (machine: string, entity: EntityId): BackplaneError =>
  new BackplaneError(
    'GROUP_ATTACHED',
    { machine, entity },
    `${machine}: ${entity} is the number of a group, which has no service of its own.`,
    'Attach entities, and let them join the group.',
  );

export const entityNotHere = (machine: string, entity: EntityId, what: string): BackplaneError =>
  new BackplaneError(
    'ENTITY_NOT_HERE',
    { machine, entity, what },
    `${machine}: ${entity} ${what}, and is not attached here.`,
    'Attach it first, on the host that it is on.',
  );

export const notGroup = (machine: string, entity: EntityId): BackplaneError =>
  new BackplaneError(
    'NOT_A_GROUP',
    { machine, entity },
    `${machine}: ${entity} is not the number of a group, so that nobody can join it.`,
    'Take a number of mintGroup or wellKnownGroup.',
  );

export const wrongMessage = (machine: string, control: number, segment: number): BackplaneError =>
  new BackplaneError(
    'WRONG_MESSAGE',
    { machine, control, segment },
    `${machine}: a message has ${control} bytes of control and ${segment} of segment.`,
    `It has ${controlBytes} and at most ${segmentBytesMax}: make it with message().`,
  );

export const requestEnded = (machine: string, entity: EntityId, how: string): BackplaneError =>
  new BackplaneError(
    'REQUEST_ENDED',
    { machine, entity, how },
    `${machine}: entity ${entity} ends a request that has ended: it was ${how}.`,
    'One of respond, forward and discard ends a request, once.',
  );

export const numbersExhausted = (machine: string, perSecond: number): BackplaneError =>
  new BackplaneError(
    'NUMBERS_EXHAUSTED',
    { machine, perSecond },
    `${machine}: more than ${perSecond} entities for each second of this boot: the next one would have their numbers.`,
    'Keep entities, or mint them more slowly.',
  );

export const noSuchGroup = (machine: string, number: number, most: number): BackplaneError =>
  new BackplaneError(
    'NO_SUCH_GROUP',
    { machine, number, most },
    `${machine}: there is no well-known group ${number}.`,
    `They are numbered from 1 to ${most}.`,
  );
