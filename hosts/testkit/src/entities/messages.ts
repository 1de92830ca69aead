/** Messages that say which one they are, and answers that can be compared. */
import { codeOf, type EntityId, type Message, message, type Response, wordOf } from '@backplane/slots';
import { sameBytes } from '@backplane/slots/testing';

/** The code of every request of a check, and of its response: below and above `ReplyCode.user`. */
const operation = 0x0012_34;
export const done = 0x80_0001;

const numberWord = 3;

export interface RequestForm {
  readonly flags?: number;
  readonly segment?: Uint8Array;
  readonly coResident?: EntityId;
}

export const numbered = (number: number, form: RequestForm = {}): Message =>
  message({ code: operation, words: [0, 0, number, ~number >>> 0, 0x0102_0304], ...form });

export const numberOf = (m: Message): number => wordOf(m, numberWord);

/** What every service of a check answers: the same number, and the segment turned round. */
export const answerTo = (asked: Message, flags = 0): Message =>
  message({ code: done, flags, words: [0, 0, numberOf(asked)], segment: asked.segment.toReversed() });

export const isAnswerTo = (asked: Message, found: Message): boolean =>
  codeOf(found) === done &&
  numberOf(found) === numberOf(asked) &&
  sameBytes(found.segment, answerTo(asked).segment);

/** The outcome of a transaction: `done`, or how it failed. */
export const codeIn = ({ message: m }: Response): number => codeOf(m);

/** Does a failure say that nobody has had the request? */
export const isUntaken = ({ untaken }: Response): boolean => untaken === true;
