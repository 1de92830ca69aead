/**
 * One operation: how its request and its reply are made into messages, and read again. A reply's code is `ok`, or says
 * what failed; how errors are numbered is that of uniform I/O.
 */
import { type EntityId, type Message, message, ReplyCode } from '@backplane/slots';
import type { Field } from './field.ts';

export type Fields<T> = { readonly [K in keyof T]: Field<T[K]> };

export interface Operation<Q, R> {
  readonly code: number;
  readonly name: string;
  /** @param beside to a group: only to the member on the host of this process. Takes words 1 and 2 */
  request(q: Q, beside?: EntityId): Message;
  requested(m: Message): Q;
  reply(r: R): Message;
  /** Of a reply whose code is `ok`. */
  replied(m: Message): R;
}

/** Words 1 and 2 of a request belong to `beside`, whether it is there or not: so fields are always in the same place. */
const firstOfRequest = 3;
const firstOfReply = 1;
const wordsMax = 8;

export function operation<Q extends object, R extends object>(
  code: number,
  name: string,
  fields: { readonly request: Fields<Q>; readonly reply: Fields<R> },
): Operation<Q, R> {
  const request = shape<Q>(name, fields.request, firstOfRequest);
  const reply = shape<R>(name, fields.reply, firstOfReply);
  return {
    code,
    name,
    request: (q, beside) =>
      message({ code, ...request.put(q), ...(beside !== undefined && { coResident: beside }) }),
    requested: request.get,
    reply: (r) => message({ code: ReplyCode.ok, ...reply.put(r) }),
    replied: reply.get,
  };
}

interface Shape<T> {
  put(value: T): { readonly words: readonly number[]; readonly segment?: Uint8Array };
  get(m: Message): T;
}

function shape<T extends object>(name: string, fields: Fields<T>, first: number): Shape<T> {
  const placed: { readonly key: keyof T & string; readonly at: number }[] = [];
  let at = first;
  let last: number = wordsMax;
  for (const key of Object.keys(fields) as (keyof T & string)[]) {
    const { words } = fields[key];
    placed.push({ key, at });
    at += words;
    // The length of a segment is word 7.
    if (words === 0) last = wordsMax - 1;
  }
  if (at > last) throw new RangeError(`${name}: ${at - first} words where there is room for ${last - first}`);
  return {
    put(value) {
      const words = Array.from({ length: first - 1 }, () => 0);
      let segment: Uint8Array | undefined;
      for (const { key } of placed) {
        words.push(...fields[key].put(value[key]));
        segment = fields[key].segment?.(value[key]) ?? segment;
      }
      return { words, ...(segment !== undefined && { segment }) };
    },
    get: (m) =>
      // boundary: each key was declared with the field of its type
      Object.fromEntries(placed.map((p) => [p.key, fields[p.key].get(m, p.at)])) as T,
  };
}
