/**
 * What managers are asked about single entities (RFC 1045, appendix III): to make one, to end, signal or describe it, to change
 * how it is served, and to prove who it is. The entity that is meant is its request's co-resident entity too, so that the
 * manager of its host gets it.
 *
 *   operation       words of the request                          of the reply     segment
 *   createEntity    1 beside whom it is to be; 0: the asker        1 its number
 *   deleteEntity    1 an entity or a group
 *   queryEntity     1 an entity                                                     of the reply: `vmtpEntityDescriptor`
 *   signalEntity    1 an entity, 3 the signal
 *   modifyService   1 an entity, 3 flags, 4 count, 5 where         1 count          of the request: `vmtpServiceThread`, one
 *                   threads begin                                                   for each thread
 *   authProbe       1 whose manager, 3 an entity, 5 domain,
 *                   6 a random number
 *
 * The RFC leaves to the system what a descriptor holds and what signals mean: the descriptor here is our own.
 */
import { codeOf, type EntityId, entityWords, type Message } from '@backplane/slots';
import { ByteWriter, type Layout, layout, u32 } from '@backplane/wire';
import { managementCodes, operationNumber } from './codes.ts';
import {
  entity,
  listed,
  type ManagementOperation,
  type MessageForm,
  type Nothing,
  nothing,
  Parameters,
  replyForm,
  requestForm,
  withList,
  word,
} from './management-forms.ts';
import { entityTexts } from './numbers.ts';
import { wordAt } from './words.ts';

/** An entity of the host that is meant. */
export interface NamedEntity {
  readonly entity: EntityId;
}

// ---- lives ----

export interface CreateEntity {
  /** The new one is to be on the host of this one; 0: of the asker. */
  readonly place: EntityId;
}

/** A number that nobody has had, which from now on is an entity of that host. */
export const createEntity: ManagementOperation<CreateEntity, NamedEntity> = {
  request: /* @__PURE__ */ requestForm<CreateEntity>(managementCodes.createEntity, { place: entity(1) }),
  reply: /* @__PURE__ */ replyForm<NamedEntity>({ entity: entity(1) }),
};

export interface DeleteEntity {
  /** An entity, or a group: of these, as far as hosts hear of it. */
  readonly entity: EntityId;
}

export const deleteEntity: ManagementOperation<DeleteEntity, Nothing> = {
  request: /* @__PURE__ */ requestForm<DeleteEntity>(managementCodes.deleteEntity, { entity: entity(1) }),
  reply: nothing,
};

// ---- what one is ----

/** Bits of `EntityDescriptor.flags`. */
export const entityFlags = {
  /** It has sent a request. */
  client: 0x01,
  /** A transaction of its own is under way. */
  awaiting: 0x02,
  /** A program of its host serves it. */
  served: 0x04,
  /** It takes no requests until somebody modifies its service. */
  stopped: 0x08,
  /** It was made by request. */
  made: 0x10,
  /** It is its kernel's own: nobody else ends, signals or modifies it. */
  kernels: 0x20,
} as const;

/** No bound but that of its service. */
export const unboundedQueue = 0xffff_ffff;

interface EntityFacts {
  /** Bits of `entityFlags`. */
  readonly flags: number;
  /** Of its last transaction as a client; 0 if there was none. */
  readonly transaction: number;
  /** Requests that it has and has not answered. */
  readonly requests: number;
  /** How many may wait in line for it; `unboundedQueue` if nobody has modified its service. */
  readonly queueMax: number;
}

export interface EntityDescriptor extends EntityFacts {
  readonly entity: EntityId;
}

interface DescriptorWords extends EntityFacts {
  readonly entityHigh: number;
  readonly entityLow: number;
}

export const vmtpEntityDescriptor: Layout<DescriptorWords> = /* @__PURE__ */ layout(
  'vmtp.entityDescriptor',
  {
    entityHigh: /* @__PURE__ */ u32('who: type and discriminator', { base: 16 }),
    entityLow: /* @__PURE__ */ u32('who: internet address', { base: 16 }),
    flags: /* @__PURE__ */ u32('what it is and does', { flags: entityFlags }),
    transaction: /* @__PURE__ */ u32('of its last transaction as a client'),
    requests: /* @__PURE__ */ u32('that it has and has not answered'),
    queueMax: /* @__PURE__ */ u32('how many may wait in line for it; ffffffff: no bound', { base: 16 }),
  },
  { doc: 'what QueryEntity tells' },
);

export interface QueriedEntity {
  /** Null unless the outcome is `ok`. */
  readonly descriptor: EntityDescriptor | null;
}

const bare: Parameters<Nothing> = /* @__PURE__ */ new Parameters<Nothing>({});

/** What is it, and what does it do? */
export const queryEntity: ManagementOperation<NamedEntity, QueriedEntity> = {
  request: /* @__PURE__ */ requestForm<NamedEntity>(managementCodes.queryEntity, { entity: entity(1) }),
  reply: {
    encode({ outcome, descriptor }) {
      const segment = new ByteWriter();
      if (descriptor !== null) {
        const { entity: described, flags, transaction, requests, queueMax } = descriptor;
        const [entityHigh, entityLow] = entityWords(described);
        const facts = { entityHigh, entityLow, flags, transaction, requests, queueMax };
        segment.bytes(vmtpEntityDescriptor.encode(facts));
      }
      return withList(bare.message(outcome, {}), segment);
    },
    decode(m) {
      const outcome = codeOf(m);
      if (m.segment.length === 0) return { outcome, descriptor: null };
      if (m.segment.length !== vmtpEntityDescriptor.size) return undefined;
      const { entityHigh, entityLow, ...facts } = vmtpEntityDescriptor.decode(m.segment);
      return { outcome, descriptor: { entity: entityTexts.of(entityHigh, entityLow), ...facts } };
    },
  },
};

// ---- what happens to one ----

export interface SignalEntity {
  readonly entity: EntityId;
  /** What it means is between who sends it and who gets it. */
  readonly signal: number;
}

export const signalEntity: ManagementOperation<SignalEntity, Nothing> = {
  request: /* @__PURE__ */ requestForm<SignalEntity>(managementCodes.signalEntity, {
    entity: entity(1),
    signal: word(3),
  }),
  reply: nothing,
};

// ---- how it is served ----

/** Bits of `ModifyService.flags`. */
export const serviceFlags = {
  /** `count` threads, each for one request at a time; else a line of `count` requests for the entity's own process. */
  threads: 0x1,
  /** Who asks must have proved who it is. */
  authenticationRequired: 0x2,
  /** Requests must be encrypted. */
  securityRequired: 0x4,
  /** The count is added to what is there; it may be negative. */
  increment: 0x8,
} as const;

/** What a thread begins with: addresses and sizes in the entity's space, in bytes. */
export interface ServiceThread {
  readonly priority: number;
  readonly stack: number;
  readonly stackBytes: number;
  readonly segment: number;
  readonly segmentBytes: number;
}

export const vmtpServiceThread: Layout<ServiceThread> = /* @__PURE__ */ layout(
  'vmtp.serviceThread',
  {
    priority: /* @__PURE__ */ u32('of the thread'),
    stack: /* @__PURE__ */ u32('address of its stack', { base: 16 }),
    stackBytes: /* @__PURE__ */ u32('bytes of its stack'),
    segment: /* @__PURE__ */ u32('address where it receives segments', { base: 16 }),
    segmentBytes: /* @__PURE__ */ u32('bytes that it can receive'),
  },
  { doc: 'a thread that ModifyService asks for' },
);

interface ServiceWords {
  readonly entity: EntityId;
  /** Bits of `serviceFlags`. */
  readonly flags: number;
  /** 32 bits; with `increment` in two's complement. */
  readonly count: number;
  /** Where threads begin. */
  readonly programCounter: number;
}

export interface ModifyService extends ServiceWords {
  readonly threads: readonly ServiceThread[];
}

export interface ModifiedService {
  /** What there is now. */
  readonly count: number;
}

const serviceWords: Parameters<ServiceWords> = /* @__PURE__ */ new Parameters<ServiceWords>({
  entity: /* @__PURE__ */ entity(1),
  flags: /* @__PURE__ */ word(3),
  count: /* @__PURE__ */ word(4),
  programCounter: /* @__PURE__ */ word(5),
});

/** Bounds the requests that wait for an entity, or stops it. */
export const modifyService: ManagementOperation<ModifyService, ModifiedService> = {
  request: {
    encode({ threads, ...service }) {
      const list = new ByteWriter();
      for (const thread of threads) list.bytes(vmtpServiceThread.encode(thread));
      return withList(serviceWords.message(managementCodes.modifyService, service), list);
    },
    decode(m) {
      if (!isOf(managementCodes.modifyService, m)) return undefined;
      const { size } = vmtpServiceThread;
      const threads = listed(m, size, Math.ceil(m.segment.length / size), (from) =>
        vmtpServiceThread.decode(from.bytes(size)),
      );
      return threads === undefined ? undefined : { ...serviceWords.in(m), threads };
    },
  },
  reply: /* @__PURE__ */ replyForm<ModifiedService>({ count: word(1) }),
};

const isOf = (codeWord: number, { control }: Message): boolean =>
  operationNumber(wordAt(control, 0)) === operationNumber(codeWord);

// ---- who it is ----

export interface AuthProbeEntity {
  readonly coResident: EntityId;
  readonly entity: EntityId;
  readonly authDomain: number;
  /** What the answer proves to be fresh by. */
  readonly random: number;
}

/** The request alone: of its answers, hosts here know only that there is no such thing. */
export const authProbeEntity: MessageForm<AuthProbeEntity> = /* @__PURE__ */ requestForm<AuthProbeEntity>(
  managementCodes.authProbeEntity,
  { coResident: entity(1), entity: entity(3), authDomain: word(5), random: word(6) },
);
