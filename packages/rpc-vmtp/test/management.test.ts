import { Engine, type RandomStream } from '@backplane/engine';
import { flagsOf, type Message, MessageFlag, message, noEntity, ReplyCode, wordOf } from '@backplane/slots';
import { describe, expect, it } from 'vitest';
import {
  addToGroup,
  authProbeEntity,
  createEntity,
  createGroup,
  deleteEntity,
  entityFlags,
  entityOf,
  getRequestForwarder,
  groupMembersMax,
  groupPermissions,
  isSound,
  type ManagementName,
  type MessageForm,
  managementCodes,
  modifyService,
  nodeFlags,
  notifyRemoteVmtpClient,
  notifyVmtpClient,
  notifyVmtpServer,
  operationOf,
  probeEntity,
  probeEntityBlock,
  queryEntity,
  queryGroup,
  queryVmtpNode,
  removeFromGroup,
  responseCodes,
  type ServiceThread,
  serviceFlags,
  signalEntity,
  unboundedQueue,
  vmtpEntityDescriptor,
  vmtpServiceThread,
  wellKnownGroup,
} from '../src/index.ts';
import { asked, asker, said, words } from './hand.ts';

const written = (m: Message): string => words(m.control);
const group = wellKnownGroup(2); // 60000002 ef010002

/** What a form writes, it reads. */
function both<T>(form: MessageForm<T>, value: T, expected: string): void {
  const m = form.encode(value);
  expect(written(m)).toBe(said(expected));
  expect(isSound(m)).toBe(true);
  expect(form.decode(m)).toEqual(value);
}

describe('vmtp, requests to managers', () => {
  it('puts parameters into words in order', () => {
    both(
      probeEntity.request,
      { coResident: asked, entity: asker, authDomain: 1 },
      '05000101 00000007 24080032 000063f9 24080031 00000001 00000000 00000000',
    );
    both(
      probeEntityBlock.request,
      { entity: entityOf(0x0a01_0001, 0x4200) },
      '05000103 0a010001 00004200 00000000 00000000 00000000 00000000 00000000',
    );
    both(
      queryVmtpNode.request,
      { coResident: asked },
      '05000104 00000007 24080032 00000000 00000000 00000000 00000000 00000000',
    );
    both(
      getRequestForwarder.request,
      { coResident: asked, entity: asker },
      '05000105 00000007 24080032 000063f9 24080031 00000000 00000000 00000000',
    );
    both(
      deleteEntity.request,
      { entity: asked },
      '05000107 00000007 24080032 00000000 00000000 00000000 00000000 00000000',
    );
    both(
      createEntity.request,
      { place: asked },
      '05000106 00000007 24080032 00000000 00000000 00000000 00000000 00000000',
    );
    both(
      queryEntity.request,
      { entity: asked },
      '0d000108 00000007 24080032 00000000 00000000 00000000 00000000 00000000',
    );
    both(
      signalEntity.request,
      { entity: asked, signal: 0x8000_0002 },
      '05000109 00000007 24080032 80000002 00000000 00000000 00000000 00000000',
    );
    both(
      authProbeEntity,
      { coResident: asked, entity: asker, authDomain: 1, random: 0xfeed_f00d },
      '0d000102 00000007 24080032 000063f9 24080031 00000001 feedf00d 00000000',
    );
    const permissions = groupPermissions.manager | groupPermissions.addOthers;
    for (const [form, code] of [
      [createGroup.request, '0500010a'],
      [addToGroup.request, '0500010b'],
    ] as const)
      both(
        form,
        { coResident: noEntity, group, entity: asker, permissions },
        `${code} 00000000 00000000 60000002 ef010002 000063f9 24080031 00000021`,
      );
    both(
      removeFromGroup.request,
      { coResident: asked, group, entity: asker },
      '0500010c 00000007 24080032 60000002 ef010002 000063f9 24080031 00000000',
    );
    both(
      queryGroup.request,
      { group },
      '0500010d 60000002 ef010002 00000000 00000000 00000000 00000000 00000000',
    );
  });

  it('lists the threads of a service in the segment, five words each', () => {
    const bounded = {
      ...{ entity: asked, flags: serviceFlags.increment, count: 0xffff_fffe },
      ...{ programCounter: 0, threads: [] },
    };
    both(
      modifyService.request,
      bounded,
      '0500010e 00000007 24080032 00000008 fffffffe 00000000 00000000 00000000',
    );
    const thread = (n: number): ServiceThread => ({
      ...{ priority: n, stack: 0x1000 * n, stackBytes: 0x400, segment: 0x8_0000 + n, segmentBytes: 16_384 },
    });
    const threaded = {
      ...{ entity: asked, flags: serviceFlags.threads, count: 2, programCounter: 0x2_0000 },
      threads: [thread(1), thread(2)],
    };
    const m = modifyService.request.encode(threaded);
    expect(written(m)).toBe(said('1500010e 00000007 24080032 00000001 00000002 00020000 00000000 00000028'));
    expect(words(m.segment)).toBe(
      '00000001 00001000 00000400 00080001 00004000 00000002 00002000 00000400 00080002 00004000',
    );
    expect(isSound(m)).toBe(true);
    expect(modifyService.request.decode(m)).toEqual(threaded);
    for (const short of [1, 19, 21, 39])
      expect(modifyService.request.decode({ ...m, segment: m.segment.subarray(0, short) })).toBeUndefined();
    const names = vmtpServiceThread.fields.map(({ name, offset }) => [name, offset]);
    expect(names).toEqual([
      ...[['priority', 0] as const, ['stack', 4], ['stackBytes', 8], ['segment', 12], ['segmentBytes', 16]],
    ]);
  });

  it('writes notices as datagrams', () => {
    const about = {
      ...{ client: asker, control: 0x4012_00c1, receiveSequence: 7, transaction: 0xffff_fffe },
      ...{ delivery: 0x8000_0001, code: responseCodes.busy },
    };
    const rest = '000063f9 24080031 401200c1 00000007 fffffffe 80000001 00000003';
    both(notifyVmtpClient, about, `4500010f ${rest}`);
    both(notifyRemoteVmtpClient, about, `41000111 ${rest}`);
    both(
      notifyVmtpServer,
      { server: asked, client: asker, transaction: 2, delivery: 0x3f, code: responseCodes.retry },
      '45000110 00000007 24080032 000063f9 24080031 00000002 0000003f 00000001',
    );
    for (const form of [notifyVmtpClient, notifyRemoteVmtpClient])
      expect(flagsOf(form.encode(about)) & MessageFlag.datagram).toBe(MessageFlag.datagram);
  });

  it('knows an operation whatever flags it comes with, and none that is not public', () => {
    for (const [name, codeWord] of Object.entries(managementCodes)) {
      for (const flags of [0x01, 0x05, 0x0d, 0x41, 0x45, 0xc7])
        expect(operationOf(message({ code: codeWord & 0xff_ffff, flags }))).toBe(name);
      expect(operationOf(message({ code: codeWord & 0xff_ffff, flags: 0x04 }))).toBeUndefined();
    }
    expect(operationOf(message({ code: 0x112, flags: 0x01 }))).toBeUndefined();
    expect(operationOf(message({ code: 0x100, flags: 0x01 }))).toBeUndefined();
  });

  it('reads a request as nothing but what it is', () => {
    const forms: readonly (readonly [
      ManagementName,
      MessageForm<never> | { decode(m: Message): unknown },
    ])[] = [
      ['probeEntity', probeEntity.request],
      ['probeEntityBlock', probeEntityBlock.request],
      ['queryVmtpNode', queryVmtpNode.request],
      ['getRequestForwarder', getRequestForwarder.request],
      ['authProbeEntity', authProbeEntity],
      ['createEntity', createEntity.request],
      ['deleteEntity', deleteEntity.request],
      ['queryEntity', queryEntity.request],
      ['signalEntity', signalEntity.request],
      ['modifyService', modifyService.request],
      ['createGroup', createGroup.request],
      ['addToGroup', addToGroup.request],
      ['removeFromGroup', removeFromGroup.request],
      ['queryGroup', queryGroup.request],
      ['notifyVmtpClient', notifyVmtpClient],
      ['notifyVmtpServer', notifyVmtpServer],
      ['notifyRemoteVmtpClient', notifyRemoteVmtpClient],
    ];
    for (const [name, form] of forms)
      for (const [other, codeWord] of Object.entries(managementCodes)) {
        const m = message({ code: codeWord & 0xff_ffff, flags: codeWord >>> 24 });
        expect(form.decode(m) !== undefined, `${name} of ${other}`).toBe(name === other);
      }
  });
});

describe('vmtp, replies of managers', () => {
  const ok = ReplyCode.ok;

  it('fills the 28 bytes of the answer to a probe exactly', () => {
    both(
      probeEntity.reply,
      {
        outcome: ok,
        transaction: 0x1234_5678,
        process: asked,
        principal: noEntity,
        effectivePrincipal: asker,
      },
      '00000000 12345678 00000007 24080032 00000000 00000000 000063f9 24080031',
    );
  });

  it('puts results from the first word on', () => {
    both(
      probeEntityBlock.reply,
      { outcome: ok, entity: asked },
      '00000000 00000007 24080032 00000000 00000000 00000000 00000000 00000000',
    );
    both(
      getRequestForwarder.reply,
      { outcome: ok, forwarder: asked, principal: asker, authDomain: 3 },
      '00000000 00000007 24080032 000063f9 24080031 00000003 00000000 00000000',
    );
    both(
      addToGroup.reply,
      { outcome: ReplyCode.noPermission },
      '00000006 00000000 00000000 00000000 00000000 00000000 00000000 00000000',
    );
  });

  it('says which entity was made, and how many requests may wait', () => {
    both(
      createEntity.reply,
      { outcome: ok, entity: asker },
      '00000000 000063f9 24080031 00000000 00000000 00000000 00000000 00000000',
    );
    both(
      modifyService.reply,
      { outcome: ok, count: 4096 },
      '00000000 00001000 00000000 00000000 00000000 00000000 00000000 00000000',
    );
  });

  it('describes an entity in the segment, in six words', () => {
    const { reply } = queryEntity;
    const descriptor = {
      ...{ entity: asked, flags: entityFlags.client | entityFlags.served, transaction: 0x1234_5678 },
      ...{ requests: 3, queueMax: unboundedQueue },
    };
    const m = reply.encode({ outcome: ok, descriptor });
    expect(written(m)).toBe(said('10000000 00000000 00000000 00000000 00000000 00000000 00000000 00000018'));
    expect(words(m.segment)).toBe('00000007 24080032 00000005 12345678 00000003 ffffffff');
    expect(isSound(m)).toBe(true);
    expect(reply.decode(m)).toEqual({ outcome: ok, descriptor });
    for (const length of [1, 20, 23])
      expect(reply.decode({ ...m, segment: m.segment.subarray(0, length) })).toBeUndefined();
    expect(reply.decode(message({ code: ReplyCode.nonexistentEntity }))).toEqual({
      outcome: ReplyCode.nonexistentEntity,
      descriptor: null,
    });
    const facts = vmtpEntityDescriptor.decode(m.segment);
    expect(facts).toMatchObject({ entityHigh: 7, entityLow: 0x2408_0032, requests: 3 });
  });

  it('lists the domains of a host in the segment, after their numbers in words', () => {
    const { reply } = queryVmtpNode;
    const node = {
      outcome: ok,
      packetBytes: 1500,
      flags: nodeFlags.handlesSecure,
      authDomain: 0,
      domains: [1, 3],
      authDomains: [9],
    };
    const m = reply.encode(node);
    expect(written(m)).toBe(said('10000000 000005dc 00000004 00000000 00000002 00000001 00000000 0000000c'));
    expect(words(m.segment)).toBe('00000001 00000003 00000009');
    expect(reply.decode(m)).toEqual(node);
    expect(reply.decode({ ...m, segment: m.segment.subarray(4) })).toBeUndefined();
    both(
      reply,
      { ...node, domains: [], authDomains: [] },
      '00000000 000005dc 00000004 00000000 00000000 00000000 00000000 00000000',
    );
  });

  it('lists the members of a group that one host has, up to a segment full', () => {
    const { reply } = queryGroup;
    const m = reply.encode({ outcome: ok, members: [asker, asked] });
    expect(written(m)).toBe(said('10000000 00000002 00000000 00000000 00000000 00000000 00000000 00000010'));
    expect(words(m.segment)).toBe('000063f9 24080031 00000007 24080032');
    expect(reply.decode(m)).toEqual({ outcome: ok, members: [asker, asked] });
    const many = { outcome: ok, members: Array.from({ length: groupMembersMax }, (_, i) => entityOf(i, 1)) };
    const full = reply.encode(many);
    expect(isSound(full)).toBe(true);
    expect(full.segment.length).toBe(16_384);
    expect(reply.decode(full)).toEqual(many);
    expect(reply.decode(message({ code: ok, words: [0xffff_ffff] }))).toBeUndefined();
    expect(reply.decode(message({ code: ReplyCode.nonexistentEntity }))).toEqual({
      outcome: ReplyCode.nonexistentEntity,
      members: [],
    });
  });

  it('reads any message as a reply or as none, and never throws', () => {
    const random = new Engine({ seed: 51 }).random('replies');
    for (let i = 0; i < 500; i++) {
      const m = anyMessage(random);
      for (const { request, reply } of [
        ...[probeEntity, probeEntityBlock, getRequestForwarder],
        ...[createEntity, deleteEntity, signalEntity, modifyService],
      ]) {
        expect(reply.decode(m)?.outcome).toBe(wordOf(m, 0) & 0xff_ffff);
        request.decode(m);
      }
      authProbeEntity.decode(m);
      const described = m.segment.length === 0 || m.segment.length === vmtpEntityDescriptor.size;
      expect(queryEntity.reply.decode(m) !== undefined).toBe(described);
      const control = m.control.slice();
      control.set([0x05, 0, 0x01, 0x0e]);
      const isList = m.segment.length % vmtpServiceThread.size === 0;
      expect(modifyService.request.decode({ ...m, control }) !== undefined).toBe(isList);
      const count = wordOf(m, 4) + wordOf(m, 5);
      expect(queryVmtpNode.reply.decode(m) !== undefined).toBe(m.segment.length === 4 * count);
      expect(queryGroup.reply.decode(m) !== undefined).toBe(m.segment.length === 8 * wordOf(m, 1));
    }
  });
});

function anyMessage(random: RandomStream): Message {
  const word = (): number => (random.chance(0.5) ? random.below(4) : random.uint32());
  return message({
    code: random.below(0x100_0000),
    flags: random.below(256),
    words: Array.from({ length: 7 }, word),
    segment: new Uint8Array(4 * random.below(8)),
  });
}
