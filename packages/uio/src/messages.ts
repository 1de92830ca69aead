/** Operations as messages: what a procedure's codec makes of a request or a reply becomes words and a segment, and back. */
import {
  codeOf,
  type KernelErrorKind,
  kernelErrorFrom,
  kernelErrorNumber,
  type Message,
  message,
  type Payload,
  ReplyCode,
  wordOf,
} from '@backplane/slots';

/** @param instance 0: of none */
export const packed = (code: number, instance: number, { parameters, data }: Payload): Message =>
  message({ code, words: [instance, parameters.length], segment: joined(parameters, data) });

export function unpacked(m: Message): Payload {
  const parametersBytes = Math.min(wordOf(m, 2), m.segment.length);
  return { parameters: m.segment.subarray(0, parametersBytes), data: m.segment.subarray(parametersBytes) };
}

export const instanceOf = (m: Message): number => wordOf(m, 1);

export const failure = (kind: KernelErrorKind): Message =>
  message({ code: ReplyCode.user + kernelErrorNumber(kind) });

/** What the response says has failed; undefined when nothing has. */
export function failureOf(m: Message): KernelErrorKind | undefined {
  const code = codeOf(m);
  if (code === ReplyCode.ok) return undefined;
  if (code > ReplyCode.user) return kernelErrorFrom(code - ReplyCode.user);
  // The protocol's own: nobody is there (any more), or nobody answers.
  return code === ReplyCode.busy ? 'wouldBlock' : 'peerDown';
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  if (b.length === 0) return a;
  if (a.length === 0) return b;
  const all = new Uint8Array(a.length + b.length);
  all.set(a);
  all.set(b, a.length);
  return all;
}
