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
 * Here are those about hosts, groups and notices; those about single entities are in `entity-management.ts`.
 */
import { codeOf, type EntityId, highWord, lowWord, type Message } from '@backplane/slots';
import { ByteWriter } from '@backplane/wire';
import { managementCodes, operationNumber } from './codes.ts';
import { limits } from './layout.ts';
import {
  entity,
  listed,
  type ManagementOperation,
  type MessageForm,
  type Nothing,
  names,
  nothing,
  Parameters,
  replyForm,
  requestForm,
  withList,
  word,
} from './management-forms.ts';
import { entityOf } from './numbers.ts';
import { wordAt } from './words.ts';

export type ManagementName = keyof typeof managementCodes;

const operations: ReadonlyMap<number, ManagementName> = /* @__PURE__ */ new Map(
  /* @__PURE__ */ names(managementCodes).map((name) => [operationNumber(managementCodes[name]), name]),
);

/** Which operation a request is, flags masked off; undefined for what is none, or not public. */
export const operationOf = ({ control }: Message): ManagementName | undefined =>
  operations.get(operationNumber(wordAt(control, 0)));

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
    coResident: entity(1),
    entity: entity(3),
    authDomain: word(5),
  }),
  reply: /* @__PURE__ */ replyForm<ProbedEntity>({
    transaction: word(1),
    process: entity(2),
    principal: entity(4),
    effectivePrincipal: entity(6),
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
    entity: entity(1),
  }),
  reply: /* @__PURE__ */ replyForm<EntityBlock>({ entity: entity(1) }),
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

const nodeWords: Parameters<{
  readonly packetBytes: number;
  readonly flags: number;
  readonly authDomain: number;
  readonly domainCount: number;
  readonly authDomainCount: number;
}> = /* @__PURE__ */ new Parameters({
  packetBytes: /* @__PURE__ */ word(1),
  flags: /* @__PURE__ */ word(2),
  authDomain: /* @__PURE__ */ word(3),
  // How many of each are in the segment: first the domains, then those of authentication.
  domainCount: /* @__PURE__ */ word(4),
  authDomainCount: /* @__PURE__ */ word(5),
});

/** What can the host do? */
export const queryVmtpNode: ManagementOperation<QueryVmtpNode, VmtpNode> = {
  request: /* @__PURE__ */ requestForm<QueryVmtpNode>(managementCodes.queryVmtpNode, {
    coResident: entity(1),
  }),
  reply: {
    encode({ outcome, domains, authDomains, ...node }) {
      const counts = { domainCount: domains.length, authDomainCount: authDomains.length };
      const list = new ByteWriter();
      for (const domain of [...domains, ...authDomains]) list.u32(domain);
      return withList(nodeWords.message(outcome, { ...node, ...counts }), list);
    },
    decode(m) {
      const { domainCount, authDomainCount, ...node } = nodeWords.in(m);
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
    coResident: entity(1),
    entity: entity(3),
  }),
  reply: /* @__PURE__ */ replyForm<RequestForwarder>({
    forwarder: entity(1),
    principal: entity(3),
    authDomain: word(5),
  }),
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

const memberAt = { coResident: entity(1), group: entity(3), entity: entity(5) } as const;
const permittedAt = { ...memberAt, permissions: word(7) } as const;

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

const memberCount: Parameters<{ readonly memberCount: number }> = /* @__PURE__ */ new Parameters({
  memberCount: /* @__PURE__ */ word(1),
});
const entityBytes = 8;
/** As many as one reply's segment holds. */
export const groupMembersMax: number = limits.groupBytes / entityBytes;

/** Who is in it? Each host with members replies for itself. */
export const queryGroup: ManagementOperation<QueryGroup, GroupMembers> = {
  request: /* @__PURE__ */ requestForm<QueryGroup>(managementCodes.queryGroup, { group: entity(1) }),
  reply: {
    encode({ outcome, members }) {
      const list = new ByteWriter();
      for (const member of members) {
        list.u32(highWord(member)).u32(lowWord(member));
      }
      return withList(memberCount.message(outcome, { memberCount: members.length }), list);
    },
    decode(m) {
      const { memberCount: count } = memberCount.in(m);
      const members = listed(m, entityBytes, count, (from) => entityOf(from.u32(), from.u32()));
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
  client: entity(1),
  control: word(3),
  receiveSequence: word(4),
  transaction: word(5),
  delivery: word(6),
  code: word(7),
} as const;

export const notifyVmtpClient: MessageForm<ClientNotice> = /* @__PURE__ */ requestForm<ClientNotice>(
  managementCodes.notifyVmtpClient,
  clientNoticeAt,
);

export const notifyVmtpServer: MessageForm<ServerNotice> = /* @__PURE__ */ requestForm<ServerNotice>(
  managementCodes.notifyVmtpServer,
  { server: entity(1), client: entity(3), transaction: word(5), delivery: word(6), code: word(7) },
);

/** To the host that forwarded a request, about it; not routed by its first parameter. */
export const notifyRemoteVmtpClient: MessageForm<ClientNotice> = /* @__PURE__ */ requestForm<ClientNotice>(
  managementCodes.notifyRemoteVmtpClient,
  clientNoticeAt,
);
