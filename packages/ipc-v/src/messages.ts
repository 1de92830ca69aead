/** What the kernel looks at in a program's message. */
import {
  controlBytes,
  type EntityId,
  type Message,
  MessageFlag,
  message,
  type Response,
  segmentBytesMax,
} from '@backplane/slots';

const has = (flag: number, { control }: Message): boolean => ((control[0] ?? 0) & flag) !== 0;

/** A program made it: it may be anything. */
export const wellFormed = (m: Message): boolean =>
  m.control.length === controlBytes && m.segment.length <= segmentBytesMax;

/** Nobody waits for an answer. A datagram goes through the transport wherever it is meant for. */
export const isDatagram = (m: Message): boolean => has(MessageFlag.datagram, m);

export const isConditional = (m: Message): boolean => has(MessageFlag.conditional, m);

export const failure = (asked: EntityId, code: number): Response => ({
  from: asked,
  message: message({ code }),
});
