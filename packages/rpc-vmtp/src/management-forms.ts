/**
 * Where the parameters of management operations lie (RFC 1045, appendix II): in words 1 to 7 of the message, in their order,
 * and lists in the segment. A form is such a declaration made into a codec.
 */
import {
  codeOf,
  controlBytes,
  type EntityId,
  highWord,
  lowWord,
  type Message,
  MessageFlag,
} from '@backplane/slots';
import { ByteReader, type ByteWriter } from '@backplane/wire';
import { operationNumber } from './codes.ts';
import { entityTexts } from './numbers.ts';
import { noBytes } from './packet.ts';
import { putWord, wordAt } from './words.ts';

/** A message that means a value, and the value that it means; undefined for one that means none. */
export interface MessageForm<T> {
  encode(value: T): Message;
  decode(m: Message): T | undefined;
}

// ---- where parameters lie ----

interface Place<T> {
  read(control: Uint8Array): T;
  write(control: Uint8Array, value: T): void;
}

export type Places<T> = { readonly [Name in keyof T]: Place<T[Name]> };

export const word = (n: number): Place<number> => ({
  read: (control) => wordAt(control, 4 * n),
  write: (control, value) => putWord(control, 4 * n, value),
});

/** In this word and the next one. */
export const entity = (n: number): Place<EntityId> => ({
  read: (control) => entityTexts.of(wordAt(control, 4 * n), wordAt(control, 4 * n + 4)),
  write: (control, value) => {
    putWord(control, 4 * n, highWord(value));
    putWord(control, 4 * n + 4, lowWord(value));
  },
});

export const names = <T extends object>(of: T): (keyof T)[] => Object.keys(of) as (keyof T)[]; // boundary: its own keys

/** Fields with their places, as a list: made once, because notices are read and written all the time. */
export class Parameters<T extends object> {
  readonly #fields: readonly { readonly name: keyof T; readonly place: Place<T[keyof T]> }[];

  constructor(places: Places<T>) {
    this.#fields = names(places).map((name) => ({ name, place: places[name] }));
  }

  message(codeWord: number, value: T): Message {
    const control = new Uint8Array(controlBytes);
    putWord(control, 0, codeWord);
    for (const { name, place } of this.#fields) place.write(control, value[name]);
    return { control, segment: noBytes };
  }

  in({ control }: Message): T {
    const values: Partial<T> = {};
    for (const { name, place } of this.#fields) values[name] = place.read(control);
    return values as T; // boundary: every name has its value now
  }
}

// ---- requests and replies ----

export function requestForm<Q extends object>(codeWord: number, places: Places<Q>): MessageForm<Q> {
  const parameters = new Parameters(places);
  const operation = operationNumber(codeWord);
  return {
    encode: (value) => parameters.message(codeWord, value),
    decode: (m) => (operationNumber(wordAt(m.control, 0)) === operation ? parameters.in(m) : undefined),
  };
}

/** The outcome, which is the code of a reply, with its results. */
export type Reply<R> = { readonly outcome: number } & R;

export function replyForm<R extends object>(places: Places<R>): MessageForm<Reply<R>> {
  const parameters = new Parameters(places);
  return {
    encode: (value) => parameters.message(value.outcome, value),
    decode: (m) => ({ outcome: codeOf(m), ...parameters.in(m) }),
  };
}

export interface ManagementOperation<Q, R> {
  readonly request: MessageForm<Q>;
  readonly reply: MessageForm<Reply<R>>;
}

/** Of an operation that tells no more than its outcome. */
export type Nothing = Readonly<Record<never, never>>;
export const nothing: MessageForm<Reply<Nothing>> = /* @__PURE__ */ replyForm<Nothing>({});

// ---- lists, in the segment ----

/** The segment as so many things of so many bytes; undefined unless it is exactly these. */
export function listed<T>(
  { segment }: Message,
  eachBytes: number,
  count: number,
  read: (from: ByteReader) => T,
): T[] | undefined {
  if (segment.length !== count * eachBytes) return undefined;
  const from = new ByteReader(segment);
  return Array.from({ length: count }, () => read(from));
}

/** The message with that segment, whose length takes word 7. */
export function withList({ control }: Message, list: ByteWriter): Message {
  const segment = list.finish();
  if (segment.length > 0) {
    putWord(control, 0, wordAt(control, 0) | (MessageFlag.segment << 24));
    putWord(control, 28, segment.length);
  }
  return { control, segment };
}
