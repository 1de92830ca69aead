import { authority, codeOf, message, ReplyCode, token } from '@backplane/slots';
import { describe, expect, it } from 'vitest';
import { answer, answered, askedFor, askFor } from '../src/query-name.ts';

const hint = {
  prefix: '/ä',
  protocol: 'uio',
  authority: authority('0123456789abcdef'),
  root: token('0.1.2'),
};

describe('QueryName', () => {
  it('carries the name, and whether it is about an entry', () => {
    expect(askedFor(askFor('/a/ü', 'object'))).toEqual({ name: '/a/ü', about: 'object' });
    expect(askedFor(askFor('/a', 'entry'))).toEqual({ name: '/a', about: 'entry' });
  });

  it('is answered with a hint', () => {
    expect(answered(answer(hint))).toEqual(hint);
  });

  it.each([
    ['another code', message({ code: 7, segment: new Uint8Array([0x2f]) })],
    ['no name', message({ code: codeOf(askFor('/', 'object')) })],
    ['a relative name', askFor('a', 'object')],
    ['a name that is too long', askFor(`/${'x'.repeat(2000)}`, 'object')],
  ])('is not what has %s', (_, m) => {
    expect(askedFor(m)).toBeUndefined();
  });

  it('takes no failure, and nothing that is cut off, for an answer', () => {
    expect(answered(message({ code: ReplyCode.retransmissionTimeout }))).toBeUndefined();
    const { segment } = answer(hint);
    for (let bytes = 0; bytes < segment.length; bytes++)
      expect(answered(message({ code: ReplyCode.ok, segment: segment.subarray(0, bytes) }))).toBeUndefined();
  });
});
