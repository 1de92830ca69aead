import { authority, codeOf, message, ReplyCode, token } from '@backplane/slots';
import { describe, expect, it } from 'vitest';
import type { Answer } from '../src/answer.ts';
import { capabilityOf } from '../src/capability.ts';
import { answer, answered, askedFor, askFor } from '../src/query-name.ts';

const hint = {
  prefix: '/ä',
  protocol: 'uio',
  authority: authority('0123456789abcdef'),
  root: token('0.1.2'),
};
const answers: readonly (readonly [string, Answer])[] = [
  ['a manager', { lead: hint, capability: '' }],
  ['a manager with a capability', { lead: hint, capability: capabilityOf('phrase', '/ä') }],
  [
    'one of several managers',
    { lead: { ...hint, shared: true }, capability: '', share: { from: 'a', below: 'ü' } },
  ],
  ['an alias', { lead: { prefix: '/bin', substitute: '/sys/v/bin' }, capability: '' }],
];

describe('QueryName', () => {
  it('carries the name, and whether it is about an entry', () => {
    expect(askedFor(askFor('/a/ü', 'object'))).toEqual({ name: '/a/ü', about: 'object' });
    expect(askedFor(askFor('/a', 'entry'))).toEqual({ name: '/a', about: 'entry' });
  });

  it.each(answers)('is answered with %s', (_, a) => {
    expect(answered(answer(a))).toEqual(a);
  });

  it.each([
    ['another code', message({ code: 7, segment: new Uint8Array([0x2f]) })],
    ['no name', message({ code: codeOf(askFor('/', 'object')) })],
    ['a relative name', askFor('a', 'object')],
    ['a name that is too long', askFor(`/${'x'.repeat(2000)}`, 'object')],
  ])('is not what has %s', (_, m) => {
    expect(askedFor(m)).toBeUndefined();
  });

  it.each([
    ['a failure', message({ code: ReplyCode.retransmissionTimeout })],
    ['a relative prefix', answer({ lead: { ...hint, prefix: 'a' }, capability: '' })],
    ['a relative substitute', answer({ lead: { prefix: '/a', substitute: 'b' }, capability: '' })],
    ['a kind that there is not', message({ code: ReplyCode.ok, words: [3] })],
  ])('has no answer in %s', (_, m) => {
    expect(answered(m)).toBeUndefined();
  });

  it.each(answers)('takes nothing that is cut off for an answer: %s', (_, a) => {
    const { control, segment } = answer(a);
    for (let bytes = 0; bytes < segment.length; bytes++)
      expect(answered({ control, segment: segment.subarray(0, bytes) })).toBeUndefined();
  });
});
