import { codeOf, entityId, flagsOf, KernelError, MessageFlag, wordOf } from '@backplane/slots';
import { pattern } from '@backplane/slots/testing';
import { describe, expect, it } from 'vitest';
import {
  bindRegion,
  bytes,
  createProcess,
  createProgram,
  entitiesIn,
  entity,
  entityList,
  operation,
  priorityOf,
  signed,
  text,
  timeNs,
  word,
} from '../src/index.ts';

const somebody = entityId('000063f924080031');

const all = operation<
  { w: number; s: number; e: typeof somebody },
  { t: number; e: typeof somebody; name: string }
>(0x7001, 'all', {
  request: { w: word, s: signed, e: entity },
  reply: { t: timeNs, e: entity, name: text },
});

describe('an operation', () => {
  it('is read as it was made: every kind of field', () => {
    const q = { w: 0xffff_ffff, s: -7, e: somebody };
    expect(all.requested(all.request(q))).toEqual(q);
    const r = { t: 570_067_200e9 + 123_456_789, e: somebody, name: 'é' };
    const { t, ...rest } = all.replied(all.reply(r));
    expect(rest).toEqual({ e: somebody, name: 'é' });
    // A number of nanoseconds since 1970 has no more digits than this.
    expect(Math.abs(t - r.t)).toBeLessThan(200);
  });

  it('leaves words 1 and 2 of a request to the process beside which it is meant', () => {
    const q = { w: 1, s: 2, e: somebody };
    const [alone, beside] = [all.request(q), all.request(q, somebody)];
    expect([wordOf(alone, 1), wordOf(alone, 2)]).toEqual([0, 0]);
    expect([wordOf(beside, 1), wordOf(beside, 2)]).toEqual([0x63f9, 0x2408_0031]);
    expect(flagsOf(beside) & MessageFlag.coResident).not.toBe(0);
    expect(all.requested(beside)).toEqual(q);
  });

  it('has its code, and of a reply that it went well', () => {
    expect(codeOf(all.request({ w: 0, s: 0, e: somebody }))).toBe(0x7001);
    expect(codeOf(all.reply({ t: 0, e: somebody, name: '' }))).toBe(0);
  });

  it('cannot be declared with more than a message holds', () => {
    const six = { a: word, b: word, c: word, d: word, e: word, f: word };
    expect(() => operation(1, 'six', { request: six, reply: {} })).toThrow('six: 6 words');
    const five = { a: word, b: word, c: word, d: word, e: word };
    expect(() => operation(1, 'five', { request: { ...five, data: bytes }, reply: {} })).toThrow('5 words');
  });
});

describe('operations of servers', () => {
  it('keep what they say', () => {
    const created = { space: 3, text: 4, argument: 5, priority: priorityOf('guest'), name: 'a program' };
    expect(createProcess.requested(createProcess.request(created, somebody))).toEqual(created);
    const object = {
      manager: somebody,
      instance: 9,
      key: '1/2/3',
      sizeBytes: 2 ** 40,
      writable: true,
      firstPage: 7,
      private: true,
    };
    const region = { space: 1, first: 16, pages: 4, writable: 1, object };
    expect(bindRegion.requested(bindRegion.request(region))).toEqual(region);
    expect(bindRegion.requested(bindRegion.request({ ...region, object: null })).object).toBeNull();
    const start = { name: 'cc', environment: pattern(700, 1) };
    expect(
      createProgram.requested(createProgram.request({ text: 1, level: 2, pages: 3, start })).start,
    ).toEqual(start);
  });

  it('refuse a segment that is cut off, whatever it is cut to', () => {
    const whole = createProgram.request({
      text: 1,
      level: 0,
      pages: 0,
      start: { name: 'cc', environment: pattern(20, 1) },
    });
    for (let count = 0; count < whole.segment.length; count++) {
      const cut = { control: whole.control, segment: whole.segment.subarray(0, count) };
      let kind: unknown;
      try {
        createProgram.requested(cut);
      } catch (e) {
        if (!(e instanceof KernelError)) throw e;
        kind = e.kind;
      }
      expect(kind).toBe('badArgument');
    }
  });
});

describe('a list of entities', () => {
  it('is read as it was made, and one that is cut off without the last', () => {
    const list = entityList([somebody, entityId('4000000100000009')]);
    expect(entitiesIn(list)).toEqual([somebody, entityId('4000000100000009')]);
    expect(entitiesIn(list.subarray(0, 31))).toEqual([somebody]);
    expect(entitiesIn(new Uint8Array(0))).toEqual([]);
  });
});

describe('priorities', () => {
  it('go by level, then by grade', () => {
    expect(priorityOf('foreground', 255)).toBeLessThan(priorityOf('background', 0));
    expect(priorityOf('guest', 1)).toBeLessThan(priorityOf('guest', 2));
  });
});
