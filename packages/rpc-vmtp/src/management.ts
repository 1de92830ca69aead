/**
 * What managers of hosts are asked, and what they tell each other (RFC 1045, appendix III). Each is an ordinary request to
 * `vmtpManagerGroup` that names, as its co-resident entity, whose manager is meant: 0 is the asker's own, a group is all
 * that have a member. Parameters lie in words 1 to 7 of the message, as the RFC's rule of marshalling puts them:
 *
 *   word   1, 2          3, 4, 5    6          7
 *          coResident    user       delivery   segment size
 *
 * A reply has its outcome in the code and results from word 1 on, which mean nothing unless the outcome is `ok`. The notices
 * are datagrams without a reply: acknowledgements, and reasons why something will not be.
 *
 * These are the operations of a host without security whose entities are made by its own kernel. Authentication
 * (AuthProbeEntity), remote creation and control of processes (CreateEntity, SignalEntity, ModifyService), and QueryEntity,
 * whose answer the RFC leaves to the system, are not among them.
 */
import {
  codeOf,
  type EntityId,
  entityIn,
  entityWords,
  type Message,
  type MessageFields,
  message,
  wordOf,
} from '@backplane/slots';
import { ByteReader, ByteWriter } from '@backplane/wire';
import { managementCodes, operationNumber } from './codes.ts';
import { limits } from './layout.ts';
import { entityOf } from './numbers.ts';

export type ManagementName = keyof typeof managementCodes;

/** Which operation a request is, flags masked off; undefined for what is none, or not public. */
export function operationOf(m: Message): ManagementName | undefined {
  const number = operationNumber(wordOf(m, 0));
  for (const name of names(managementCodes))
    if (operationNumber(managementCodes[name]) === number) return name;
  return undefined;
}

// ---- where parameters lie ----

interface Place<T> {
  read(m: Message): T;
  /** @param words words 1 to 7 */
  write(words: number[], value: T): void;
}

type Places<T> = { readonly [Name in keyof T]: Place<T[Name]> };

const wordAt = (word: number): Place<number> => ({
  read: (m) => wordOf(m, word),
  write: (words, value) => {
    words[word - 1] = value;
  },
});

const entityAt = (word: number): Place<EntityId> => ({
  read: (m) => entityIn(m, word),
  write: (words, value) => {
    [words[word - 1], words[word]] = entityWords(value);
  },
});

const names = <T extends object>(of: T): (keyof T)[] => Object.keys(of) as (keyof T)[]; // boundary: its own keys

function wordsFor<T extends object>(places: Places<T>, value: T): number[] {
  const words = [0, 0, 0, 0, 0, 0, 0];
  for (const name of names(places)) places[name].write(words, value[name]);
  return words;
}

function valuesIn<T extends object>(places: Places<T>, m: Message): T {
  const values: Partial<T> = {};
  for (const name of names(places)) values[name] = places[name].read(m);
  return values as T; // boundary: every name has its value now
}

/** A message that means a value, and the value that it means; undefined for one that means none. */
export interface MessageForm<T> {
  encode(value: T): Message;
  decode(m: Message): T | undefined;
}

function requestForm<Q extends object>(codeWord: number, places: Places<Q>): MessageForm<Q> {
  const code = codeWord & 0xff_ffff;
  const flags = codeWord >>> 24;
  return {
    encode: (value) => message({ code, flags, words: wordsFor(places, value) }),
    decode: (m) =>
      operationNumber(wordOf(m, 0)) === operationNumber(codeWord) ? valuesIn(places, m) : undefined,
  };
}

/** The outcome, which is the code of a reply, with its results. */
export type Reply<R> = { readonly outcome: number } & R;

const replyForm = <R extends object>(places: Places<R>): MessageForm<Reply<R>> => ({
  encode: (value) => message({ code: value.outcome, words: wordsFor<R>(places, value) }),
  decode: (m) => ({ outcome: codeOf(m), ...valuesIn(places, m) }),
});

export interface ManagementOperation<Q, R> {
  readonly request: MessageForm<Q>;
  readonly reply: MessageForm<Reply<R>>;
}

/** Of an operation that tells no more than its outcome. */
export type Nothing = Readonly<Record<never, never>>;
const nothing: MessageForm<Reply<Nothing>> = /* @__PURE__ */ replyForm<Nothing>({});

// ---- questions about hosts ----

export interface ProbeEntity {
  readonly coResident: EntityId;
  readonly entity: EntityId;
  /** In which principals are named; 0 where there are none. */
  readonly authDomain: number;
}

export interface ProbedEntity {
  /** Of its last transaction as a client. */
  readonly transaction: number;
  readonly process: EntityId;
  readonly principal: EntityId;
  readonly effectivePrincipal: EntityId;
}

/** Does it live, and where? Its host is who sent the reply. */
export const probeEntity: ManagementOperation<ProbeEntity, ProbedEntity> = {
  request: /* @__PURE__ */ requestForm<ProbeEntity>(managementCodes.probeEntity, {
    coResident: entityAt(1),
    entity: entityAt(3),
    authDomain: wordAt(5),
  }),
  reply: /* @__PURE__ */ replyForm<ProbedEntity>({
    transaction: wordAt(1),
    process: entityAt(2),
    principal: entityAt(4),
    effectivePrincipal: entityAt(6),
  }),
};

/** The first number of a block of 256: its low 8 bits are 0. */
export interface EntityBlock {
  readonly entity: EntityId;
}

/**
 * Does anybody have a number of this block? The block is the co-resident entity, and exists nowhere: all managers look at it,
 * and whoever has no such number is silent.
 */
export const probeEntityBlock: ManagementOperation<EntityBlock, EntityBlock> = {
  request: /* @__PURE__ */ requestForm<EntityBlock>(managementCodes.probeEntityBlock, {
    entity: entityAt(1),
  }),
  reply: /* @__PURE__ */ replyForm<EntityBlock>({ entity: entityAt(1) }),
};

export interface QueryVmtpNode {
  /** An entity of the host that is meant. */
  readonly coResident: EntityId;
}

/** Bits of `VmtpNode.flags`. */
export const nodeFlags = {
  handlesStreams: 1,
  issuesStreams: 2,
  handlesSecure: 4,
  issuesSecure: 8,
} as const;

export interface VmtpNode {
  /** Bytes of the largest packet that it takes. */
  readonly packetBytes: number;
  /** Bits of `nodeFlags`. */
  readonly flags: number;
  readonly authDomain: number;
  readonly domains: readonly number[];
  readonly authDomains: readonly number[];
}

const nodeWords = {
  packetBytes: wordAt(1),
  flags: wordAt(2),
  authDomain: wordAt(3),
  /** How many of each are in the segment: first the domains, then those of authentication. */
  domainCount: wordAt(4),
  authDomainCount: wordAt(5),
} as const;

/** What can the host do? */
export const queryVmtpNode: ManagementOperation<QueryVmtpNode, VmtpNode> = {
  request: /* @__PURE__ */ requestForm<QueryVmtpNode>(managementCodes.queryVmtpNode, {
    coResident: entityAt(1),
  }),
  reply: {
    encode({ outcome, domains, authDomains, ...node }) {
      const words = wordsFor(nodeWords, {
        ...node,
        domainCount: domains.length,
        authDomainCount: authDomains.length,
      });
      const list = new ByteWriter();
      for (const domain of [...domains, ...authDomains]) list.u32(domain);
      return withList({ code: outcome, words }, list);
    },
    decode(m) {
      const { domainCount, authDomainCount, ...node } = valuesIn(nodeWords, m);
      const words = listed(m, 4, domainCount + authDomainCount, (from) => from.u32());
      if (words === undefined) return undefined;
      return {
        ...node,
        outcome: codeOf(m),
        domains: words.slice(0, domainCount),
        authDomains: words.slice(domainCount),
      };
    },
  },
};

/** The segment as so many things of so many bytes; undefined unless it is exactly these. */
function listed<T>(
  { segment }: Message,
  eachBytes: number,
  count: number,
  read: (from: ByteReader) => T,
): T[] | undefined {
  if (segment.length !== count * eachBytes) return undefined;
  const from = new ByteReader(segment);
  return Array.from({ length: count }, () => read(from));
}

/** Word 7 is the segment's length. */
function withList({ words = [], ...fields }: MessageFields, list: ByteWriter): Message {
  return message({ ...fields, words: words.slice(0, 6), segment: list.finish() });
}

// ---- entities ----

export interface GetRequestForwarder {
  readonly coResident: EntityId;
  /** The client whose request was forwarded. */
  readonly entity: EntityId;
}

export interface RequestForwarder {
  readonly forwarder: EntityId;
  readonly principal: EntityId;
  readonly authDomain: number;
}

/** Who forwarded this client's request? */
export const getRequestForwarder: ManagementOperation<GetRequestForwarder, RequestForwarder> = {
  request: /* @__PURE__ */ requestForm<GetRequestForwarder>(managementCodes.getRequestForwarder, {
    coResident: entityAt(1),
    entity: entityAt(3),
  }),
  reply: /* @__PURE__ */ replyForm<RequestForwarder>({
    forwarder: entityAt(1),
    principal: entityAt(3),
    authDomain: wordAt(5),
  }),
};

export interface DeleteEntity {
  /** An entity, or a group: of these, as far as hosts hear of it. */
  readonly entity: EntityId;
}

export const deleteEntity: ManagementOperation<DeleteEntity, Nothing> = {
  request: /* @__PURE__ */ requestForm<DeleteEntity>(managementCodes.deleteEntity, { entity: entityAt(1) }),
  reply: nothing,
};

// ---- groups ----

/** Bits of the permissions that a member has, or gives. */
export const groupPermissions = {
  manager: 0x01,
  removeBySelf: 0x02,
  removeByPrincipal: 0x04,
  removeByOthers: 0x08,
  addPrincipal: 0x10,
  addOthers: 0x20,
  removePrincipal: 0x40,
  removeOthers: 0x80,
} as const;

export interface GroupMember {
  /** Whose manager keeps the membership: an entity of the new member's host; 0: that of the asker. */
  readonly coResident: EntityId;
  readonly group: EntityId;
  readonly entity: EntityId;
}

export interface PermittedMember extends GroupMember {
  /** Bits of `groupPermissions`. */
  readonly permissions: number;
}

const memberAt = { coResident: entityAt(1), group: entityAt(3), entity: entityAt(5) } as const;
const permittedAt = { ...memberAt, permissions: wordAt(7) } as const;

/** The entity becomes the first member, and the group's manager. */
export const createGroup: ManagementOperation<PermittedMember, Nothing> = {
  request: /* @__PURE__ */ requestForm<PermittedMember>(managementCodes.createGroup, permittedAt),
  reply: nothing,
};

export const addToGroup: ManagementOperation<PermittedMember, Nothing> = {
  request: /* @__PURE__ */ requestForm<PermittedMember>(managementCodes.addToGroup, permittedAt),
  reply: nothing,
};

export const removeFromGroup: ManagementOperation<GroupMember, Nothing> = {
  request: /* @__PURE__ */ requestForm<GroupMember>(managementCodes.removeFromGroup, memberAt),
  reply: nothing,
};

export interface QueryGroup {
  readonly group: EntityId;
}

/** What one host knows of it: those of its own that are members. */
export interface GroupMembers {
  readonly members: readonly EntityId[];
}

const memberCountAt = { memberCount: wordAt(1) } as const;
const entityBytes = 8;
/** As many as one reply's segment holds. */
export const groupMembersMax: number = limits.groupBytes / entityBytes;

/** Who is in it? Each host with members replies for itself. */
export const queryGroup: ManagementOperation<QueryGroup, GroupMembers> = {
  request: /* @__PURE__ */ requestForm<QueryGroup>(managementCodes.queryGroup, { group: entityAt(1) }),
  reply: {
    encode({ outcome, members }) {
      const list = new ByteWriter();
      for (const member of members) for (const word of entityWords(member)) list.u32(word);
      return withList({ code: outcome, words: [members.length] }, list);
    },
    decode(m) {
      const { memberCount } = valuesIn(memberCountAt, m);
      const members = listed(m, entityBytes, memberCount, (from) => entityOf(from.u32(), from.u32()));
      return members === undefined ? undefined : { outcome: codeOf(m), members };
    },
  },
};

// ---- notices ----

/** To a client's manager, about its request. */
export interface ClientNotice {
  readonly client: EntityId;
  /** Which packet this is about: word 3 of its header, as a response's (`controlWord`). */
  readonly control: number;
  /** The reception's number, where the receiver counts them; else 0. */
  readonly receiveSequence: number;
  readonly transaction: number;
  /** The blocks that have been received. */
  readonly delivery: number;
  /** See `responseCodes`: `ok` and `retry` go on, others end it. */
  readonly code: number;
}

/** To a server's manager, about its response. */
export interface ServerNotice {
  readonly server: EntityId;
  readonly client: EntityId;
  readonly transaction: number;
  readonly delivery: number;
  readonly code: number;
}

const clientNoticeAt = {
  client: entityAt(1),
  control: wordAt(3),
  receiveSequence: wordAt(4),
  transaction: wordAt(5),
  delivery: wordAt(6),
  code: wordAt(7),
} as const;

export const notifyVmtpClient: MessageForm<ClientNotice> = /* @__PURE__ */ requestForm<ClientNotice>(
  managementCodes.notifyVmtpClient,
  clientNoticeAt,
);

export const notifyVmtpServer: MessageForm<ServerNotice> = /* @__PURE__ */ requestForm<ServerNotice>(
  managementCodes.notifyVmtpServer,
  { server: entityAt(1), client: entityAt(3), transaction: wordAt(5), delivery: wordAt(6), code: wordAt(7) },
);

/** To the host that forwarded a request, about it; not routed by its first parameter. */
export const notifyRemoteVmtpClient: MessageForm<ClientNotice> = /* @__PURE__ */ requestForm<ClientNotice>(
  managementCodes.notifyRemoteVmtpClient,
  clientNoticeAt,
);
