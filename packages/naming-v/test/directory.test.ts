import { Engine } from '@backplane/engine';
import { message, ReplyCode } from '@backplane/slots';
import { describe, expect, it } from 'vitest';
import { capabilityOf, imageOf } from '../src/capability.ts';
import { Directory } from '../src/directory.ts';
import {
  found,
  foundIn,
  hello,
  helloIn,
  page,
  pageIn,
  register,
  registered,
  roll,
  rollIn,
} from '../src/directory-messages.ts';
import type { Registration } from '../src/registration.ts';
import { claim, handlerOf, registration } from './managers.ts';

const handlers = (found: readonly Registration[]): string =>
  found.map((r) => `${r.prefix} ${r.handler.charAt(0)}`).join(', ');
const a = handlerOf('a');
const b = handlerOf('b');

describe('a replica of the directory', () => {
  it('names who registered a prefix of the name, the longest first', () => {
    const d = new Directory();
    d.claim(claim('/', { handler: b }), '');
    d.claim(claim('/src/lib'), '');
    d.claim(claim('/src'), '');
    expect(handlers(d.find('/src/lib/x', 'object'))).toBe('/src/lib a, /src a, / b');
    expect(handlers(d.find('/src/lib', 'entry'))).toBe('/src a, / b');
    expect(handlers(d.find('/srcs', 'object'))).toBe('/ b');
    expect(handlers(d.find('/', 'object'))).toBe('/ b');
  });

  it('knows who managed a prefix last, in whatever order it hears of it', () => {
    for (const claims of [
      [claim('/a', { handler: a, stampNs: 1 }), claim('/a', { handler: b, stampNs: 2 })],
      [claim('/a', { handler: b, stampNs: 2 }), claim('/a', { handler: a, stampNs: 1 })],
    ]) {
      const d = new Directory();
      for (const c of claims) d.claim(c, '');
      expect(handlers(d.find('/a', 'object'))).toBe('/a b');
    }
  });

  it('forgets no withdrawal, and believes none by who has lost the prefix before', () => {
    const d = new Directory();
    d.claim(claim('/a', { handler: a, stampNs: 1 }), '');
    d.claim(claim('/a', { handler: b, stampNs: 2 }), '');
    d.claim(claim('/a', { handler: a, stampNs: 3, gone: true }), '');
    expect(handlers(d.find('/a', 'object'))).toBe('/a b');
    d.claim(claim('/a', { handler: b, stampNs: 4, gone: true }), '');
    d.claim(claim('/a', { handler: b, stampNs: 2 }), '');
    expect(d.find('/a', 'object')).toEqual([]);
    d.claim(claim('/a', { handler: a, stampNs: 1 }), '');
    expect(handlers(d.find('/a', 'object'))).toBe('/a a');
  });

  it('keeps a prefix for who can show the capability that it was registered with', () => {
    const d = new Directory();
    const own = capabilityOf('ours', '/a');
    expect(d.claim(claim('/a', { handler: a, stampNs: 1 }), own)).toBe(true);
    expect(d.claim(claim('/a', { handler: b, stampNs: 2 }), '')).toBe(false);
    expect(d.claim(claim('/a', { handler: b, stampNs: 2 }), capabilityOf('theirs', '/a'))).toBe(false);
    expect(d.find('/a', 'object')).toEqual([{ ...claim('/a'), image: imageOf(own) }]);
    expect(d.claim(claim('/a', { handler: b, stampNs: 3 }), own)).toBe(true);
    expect(handlers(d.find('/a', 'object'))).toBe('/a b');
  });

  it('knows who has which range of a shared directory', () => {
    const d = new Directory();
    d.claim(claim('/home', { handler: a, share: { from: '', below: 'm' } }), '');
    d.claim(claim('/home', { handler: b, share: { from: 'm', below: 'x' } }), '');
    const who = (name: string): string => handlers(d.find(name, 'object'));
    expect([who('/home/ann/x'), who('/home/mary'), who('/home/zoe')]).toEqual(['/home a', '/home b', '']);
    expect([who('/home'), who('/home/..')]).toEqual(['/home a, /home b', '/home a, /home b']);
  });

  it('is copied page by page', () => {
    const d = new Directory();
    const all = Array.from({ length: 500 }, (_, i) =>
      registration(`/${'x'.repeat(i % 90)}${i}`, {
        phrase: i % 2 === 0 ? 'p' : '',
        gone: i % 7 === 0,
        stampNs: i,
      }),
    );
    for (const r of all) d.merge(r);
    const copied: Registration[] = [];
    let pages = 0;
    for (let next = 0; pages === 0 || next !== 0; pages++) {
      const m = page(d, next);
      expect(m.segment.length).toBeLessThanOrEqual(16_384);
      const p = pageIn(m);
      copied.push(...(p?.registrations ?? []));
      next = p?.next ?? 0;
    }
    expect(copied).toEqual(all);
    expect(pages).toBeGreaterThan(3);
  });
});

describe('messages of the directory', () => {
  const claims = [
    [claim('/ä', { stampNs: 2 ** 50 }), capabilityOf('p', '/ä')],
    [claim('/home', { share: { from: 'a', below: 'm' } }), ''],
    [claim('/bin', { substitute: '/sys/bin', gone: true }), ''],
  ] as const;

  it('carry claims with their capabilities, in as many messages as it takes', () => {
    expect(register(claims).flatMap((m) => registered(m) ?? [])).toEqual(claims);
    const many = Array.from({ length: 300 }, (_, i) => [claim(`/${'x'.repeat(200)}${i}`), ''] as const);
    expect(register(many).flatMap((m) => registered(m) ?? [])).toEqual(many);
    for (const { segment } of register(many)) expect(segment.length).toBeLessThanOrEqual(16_384);
    expect(register([])).toEqual([]);
  });

  it('carry what was found, the roll of replicas, and who says hello', () => {
    const known = { settled: true, registrations: [registration('/a', { phrase: 'p' }), registration('/')] };
    expect(foundIn(found(known))).toEqual(known);
    const replicas = { settled: false, replicas: [a, b] };
    expect(rollIn(roll(replicas))).toEqual(replicas);
    expect(helloIn(hello({ replica: a, machine: 'navajo' }))).toEqual({ replica: a, machine: 'navajo' });
  });

  it('are dropped when they are failures, or noise', () => {
    expect([foundIn, rollIn, pageIn].map((read) => read(message({ code: ReplyCode.busy })))).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    const random = new Engine({ seed: 7 }).random('noise');
    const whole = [
      ...register(claims),
      hello({ replica: a, machine: 'm' }),
      found({ settled: true, registrations: [registration('/a')] }),
    ];
    for (let n = 0; n < 2000; n++) {
      const { control, segment } = random.pick(whole);
      const bytes = segment.slice(0, 1 + random.below(segment.length));
      bytes[random.below(bytes.length)] = random.below(256);
      // Whatever is read can be written again.
      const m = { control, segment: bytes };
      const read = registered(m);
      if (read !== undefined)
        expect(register(read).flatMap((again) => registered(again) ?? [])).toEqual(read);
      helloIn(m);
      const seen = foundIn({ ...found({ settled: true, registrations: [] }), segment: bytes });
      if (seen !== undefined) expect(foundIn(found(seen))).toEqual(seen);
    }
  });
});
