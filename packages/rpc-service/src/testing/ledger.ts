/**
 * Numbered calls, and what became of each: how often it was executed, and whether its reply was the right one. What the
 * handler answers depends on the request alone, so that the right bytes are known to both sides.
 */
import { type RandomStream, sleep, type Task } from '@backplane/engine';
import { type HostId, isKernelError, type Payload, type Transport } from '@backplane/slots';
import { pattern, sameBytes } from '@backplane/slots/testing';
import { work } from './calls.ts';

/** How large calls are and how long things take, at most. */
export interface Pace {
  readonly dataBytesMax: number;
  /** In the handler: one time in thirty-three, and otherwise. */
  readonly slowNs: number;
  readonly usualNs: number;
  /** Between two calls of a client. */
  readonly pauseNs: number;
}

const parametersMax = 1024;

export class Ledger {
  asked = 0;
  answered = 0;
  /** Calls whose reply was not the handler's. */
  readonly wrong: number[] = [];
  readonly #random: RandomStream;
  readonly #pace: Pace;
  /** By client, its life, and the call's number. */
  readonly #executed = new Map<string, number>();

  constructor(random: RandomStream, pace: Pace) {
    this.#random = random;
    this.#pace = pace;
  }

  /** Calls that were executed more than once. */
  get repeated(): readonly string[] {
    return [...this.#executed].filter(([, times]) => times > 1).map(([key]) => key);
  }

  serve(transport: Transport): void {
    const note = (key: string): void => void this.#executed.set(key, (this.#executed.get(key) ?? 0) + 1);
    const random = this.#random;
    const { dataBytesMax, slowNs, usualNs } = this.#pace;
    transport.serve(work, function* (request, from): Task<Payload> {
      note(`${from.host}.${from.bootId}.${numberIn(request)}`);
      if (random.chance(0.3)) yield* sleep(random.below(random.chance(0.1) ? slowNs : usualNs));
      return answerTo(request, dataBytesMax);
    });
  }

  /** So many calls, one after the other; those that fail with `peerDown` count as asked only. */
  *calls(transport: Transport, server: HostId, count: number): Task<void> {
    const random = this.#random;
    for (let i = 0; i < count; i++) {
      const number = ++this.asked;
      const request = this.#request(number);
      try {
        const reply = yield* transport.call(server, work, request);
        const right = answerTo(request, this.#pace.dataBytesMax);
        if (!sameBytes(reply.parameters, right.parameters) || !sameBytes(reply.data, right.data))
          this.wrong.push(number);
        this.answered++;
      } catch (e) {
        if (!isKernelError(e, 'peerDown')) throw e;
      }
      if (random.chance(0.3)) yield* sleep(random.below(this.#pace.pauseNs));
    }
  }

  #request(number: number): Payload {
    const random = this.#random;
    const { dataBytesMax } = this.#pace;
    const parametersBytes = random.chance(0.3) ? random.below(parametersMax - 3) : random.below(64);
    const parameters = pattern(4 + parametersBytes, 1);
    new DataView(parameters.buffer).setUint32(0, number);
    const dataBytes = random.chance(0.4)
      ? random.below(dataBytesMax + 1)
      : random.chance(0.5)
        ? random.below(Math.min(1500, dataBytesMax))
        : 0;
    return { parameters, data: pattern(dataBytes, random.below(256)) };
  }
}

const numberIn = ({ parameters }: Payload): number =>
  new DataView(parameters.buffer, parameters.byteOffset).getUint32(0);

function answerTo({ parameters, data }: Payload, dataBytesMax: number): Payload {
  const key = (parameters.length * 31 + data.length) & 0xffff;
  const bytes =
    key % 5 === 0
      ? (key * 7919) % (dataBytesMax + 1)
      : key % 3 === 0
        ? (key * 31) % Math.min(3000, dataBytesMax)
        : key % 100;
  return { parameters: pattern(key % 200, key), data: pattern(bytes, data[data.length >>> 1] ?? 3) };
}

/** Calls of many courses, each with a seed of its own, counted together. */
export function total(
  seeds: number,
  follow: (seed: number) => { readonly asked: number; readonly answered: number },
): { readonly asked: number; readonly answered: number } {
  let asked = 0;
  let answered = 0;
  for (let seed = 1; seed <= seeds; seed++) {
    const one = follow(seed);
    asked += one.asked;
    answered += one.answered;
  }
  return { asked, answered };
}
