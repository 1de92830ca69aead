import { Engine, type Task } from '@backplane/engine';
import {
  codeOf,
  entityId,
  KernelError,
  type KernelErrorKind,
  kernelErrorKinds,
  message,
  ReplyCode,
} from '@backplane/slots';
import { pattern } from '@backplane/slots/testing';
import { describe, expect, it } from 'vitest';
import { lockFile, modifyObject, openFile, queryObject } from '../src/file-operations.ts';
import { failure, failureOf, instanceOf, packed, unpacked } from '../src/messages.ts';
import { ServedOperations } from '../src/served-operations.ts';

describe('an operation as a message', () => {
  it('has its parameters before its text, and names its instance', () => {
    const payload = { parameters: pattern(20, 1), data: pattern(300, 2) };
    const m = packed(0x107, 9, payload);
    expect([codeOf(m), instanceOf(m), m.segment.length]).toEqual([0x107, 9, 320]);
    expect(unpacked(m)).toEqual(payload);
  });

  it('makes no sense of lengths beyond its segment', () => {
    const m = message({ code: 1, words: [0, 1_000_000], segment: pattern(10, 1) });
    expect(unpacked(m).parameters.length).toBe(10);
  });

  it('carries every error there and back', () => {
    for (const kind of kernelErrorKinds.filter((k) => k !== 'ok') as KernelErrorKind[])
      expect(failureOf(failure(kind))).toBe(kind);
  });

  it.each([
    [ReplyCode.ok, undefined],
    [ReplyCode.nonexistentEntity, 'peerDown'],
    [ReplyCode.retransmissionTimeout, 'peerDown'],
    [ReplyCode.busy, 'wouldBlock'],
  ])('takes the code %s of the protocol for %s', (code, kind) => {
    expect(failureOf(message({ code }))).toBe(kind);
  });

  it('keeps what a request says', () => {
    const open = {
      start: { domain: 1, number: 2, generation: 3 },
      path: 'a/b',
      owner: entityId('0123456789abcdef'),
      how: { read: true, mode: 0o644 },
      who: { uid: 7, gid: 8, groups: [9] },
      machineType: 'sun3-75',
    };
    expect(openFile.request.decode(openFile.request.encode(open))).toEqual(open);
  });
});

describe('a file server that is asked', () => {
  const operations = new ServedOperations();
  operations.serve(modifyObject, function* ({ change }) {
    if ((change.mode ?? 0) > 0o100) throw new KernelError('permission');
    return null;
  });
  const perform = (m: ReturnType<typeof message>): ReturnType<typeof message> => {
    const engine = new Engine();
    let reply = message({ code: 1 });
    engine.root.spawn(
      'test',
      (function* (): Task<void> {
        reply = yield* operations.perform(m);
      })(),
    );
    engine.run();
    return reply;
  };
  const modify = (mode: number) =>
    packed(
      modifyObject.id,
      1,
      modifyObject.request.encode({ change: { mode }, who: { uid: 0, gid: 0, groups: [] } }),
    );

  it('answers, with an error where there is one', () => {
    expect(failureOf(perform(modify(5)))).toBeUndefined();
    expect(failureOf(perform(modify(0o500)))).toBe('permission');
  });

  it('says of an operation that it does not know that it is none', () => {
    expect(codeOf(perform(message({ code: 0x7777 })))).toBe(ReplyCode.protocolError);
    expect(codeOf(perform(packed(lockFile.id, 1, queryObject.request.encode(null))))).toBe(
      ReplyCode.protocolError,
    );
  });

  it('refuses parameters that are cut off, whatever they are cut to', () => {
    const whole = modify(5);
    for (let bytes = 0; bytes < whole.segment.length; bytes++) {
      const cut = message({
        code: modifyObject.id,
        words: [1, bytes],
        segment: whole.segment.subarray(0, bytes),
      });
      expect(failureOf(perform(cut))).toBe('badArgument');
    }
  });
});
