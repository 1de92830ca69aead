/**
 * Calls between kernels, as VMTP messages. This use of VMTP is ours: V's kernels called each other's kernel servers one by one.
 *
 *   word      request                                  response
 *   0         procedure                                ok, an error's number, or `otherLife`
 *   1         the caller's boot identifier             the server's
 *   2         the server's life that it is meant for   when that life began: seconds,
 *   3         0                                        and nanoseconds
 *   4         bytes of parameters                      bytes of parameters
 *   7         bytes of the segment                     bytes of the segment
 *   segment   parameters, then data                    parameters, then data
 *
 * Each kernel is one entity, whose number is its host's address with discriminator 1: who knows a host's number knows its
 * kernel's. All kernels are in one group, RG-2-224.0.1.0, which is heard under the address of the managers.
 */
import {
  controlBytes,
  type EntityId,
  type HostId,
  internetAddress,
  internetHost,
  type KernelErrorKind,
  kernelErrorFrom,
  kernelErrorNumber,
  type Message,
  MessageFlag,
  type Payload,
  ReplyCode,
} from '@backplane/slots';
import { addressOf, entityNumber, entityTypes } from './numbers.ts';
import { noBytes } from './packet.ts';
import { putWord, wordAt } from './words.ts';

/** Of one message, request or reply. The same as Sprite's, whose boards these calls come from. */
export const kernelLimits = { parametersBytes: 1024, dataBytes: 16_384 } as const;

/** Asks a kernel for a sign of life: executed by whichever life gets it, at interrupt level. */
export const nullProcedure = 0;

const kernelDiscriminator = 1;
const kernelGroupDiscriminator = 2;
const vmtpHostGroup = 0xe000_0100;

export const kernelEntity = (host: HostId): EntityId =>
  entityNumber(0, kernelDiscriminator, internetAddress(host));
export const kernelGroup: EntityId = /* @__PURE__ */ entityNumber(
  entityTypes.group,
  kernelGroupDiscriminator,
  vmtpHostGroup,
);

/** The host whose kernel minted the number; undefined when no host of a cluster can have. */
export const hostOf = (entity: EntityId): HostId | undefined => internetHost(addressOf(entity));

/** Codes of responses, besides `ok`: an error's number, or that another life was meant. */
export const otherLife: number = ReplyCode.user;
export const errorCode = (kind: KernelErrorKind): number => ReplyCode.user + kernelErrorNumber(kind);
export const errorKind = (code: number): KernelErrorKind => kernelErrorFrom(code - ReplyCode.user);

export interface KernelRequest {
  readonly procedure: number;
  readonly bootId: number;
  readonly life: number;
  readonly payload: Payload;
}

export const requestMessage = ({ procedure, bootId, life, payload }: KernelRequest, flags = 0): Message =>
  kernelMessage(flags, procedure, bootId, life, 0, payload);

/** What every response of a life says. */
export interface LifeWords {
  readonly bootId: number;
  readonly began: readonly [seconds: number, nanoseconds: number];
}

export const responseMessage = (code: number, { bootId, began }: LifeWords, payload: Payload): Message =>
  kernelMessage(0, code, bootId, began[0], began[1], payload);

function kernelMessage(
  flags: number,
  code: number,
  first: number,
  second: number,
  third: number,
  payload: Payload,
): Message {
  const control = new Uint8Array(controlBytes);
  const segment = segmentOf(payload);
  const hasSegment = segment.length > 0;
  putWord(control, 0, ((flags | (hasSegment ? MessageFlag.segment : 0)) << 24) | code);
  putWord(control, 4, first);
  putWord(control, 8, second);
  putWord(control, 12, third);
  putWord(control, 16, payload.parameters.length);
  putWord(control, 28, segment.length);
  return { control, segment };
}

export const bootIdIn = ({ control }: Message): number => wordAt(control, 4);
export const lifeIn = ({ control }: Message): number => wordAt(control, 8);

/** Both areas; undefined if they are not within the limits, or not within the segment. */
export function payloadIn(m: Message): Payload | undefined {
  const { control, segment } = m;
  const parametersBytes = wordAt(control, 16);
  const dataBytes = segment.length - parametersBytes;
  if (parametersBytes > kernelLimits.parametersBytes) return undefined;
  if (dataBytes < 0 || dataBytes > kernelLimits.dataBytes) return undefined;
  if (segment.length === 0) return nothing;
  if (parametersBytes === 0) return { parameters: noBytes, data: segment };
  if (dataBytes === 0) return { parameters: segment, data: noBytes };
  return { parameters: segment.subarray(0, parametersBytes), data: segment.subarray(parametersBytes) };
}

export const nothing: Payload = { parameters: noBytes, data: noBytes };

function segmentOf({ parameters, data }: Payload): Uint8Array {
  if (parameters.length === 0) return data;
  if (data.length === 0) return parameters;
  const segment = new Uint8Array(parameters.length + data.length);
  segment.set(parameters);
  segment.set(data, parameters.length);
  return segment;
}
