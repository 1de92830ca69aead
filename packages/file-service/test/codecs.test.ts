import { Engine, type RandomStream } from '@backplane/engine';
import { type Attributes, above, done, redirect, staleName, token } from '@backplane/slots';
import { decodeUtf8 } from '@backplane/wire';
import { describe, expect, it } from 'vitest';
import { nameProcedures } from '../src/index.ts';

const procedures = nameProcedures({
  stat: 1,
  access: 2,
  unlink: 3,
  makeDirectory: 4,
  removeDirectory: 5,
  makeLink: 6,
  readLink: 7,
  setAttributes: 8,
  entries: 9,
  enter: 10,
  rename: 11,
  link: 12,
});
const from = {
  start: { domain: 1, number: 2, generation: 3 },
  path: 'ä/b',
  who: { uid: 1, gid: 2, groups: [3, 4] },
  machineType: 'sun3',
};

function roundTrip<Q, R>(
  p: {
    readonly request: {
      encode(q: Q): { parameters: Uint8Array; data: Uint8Array };
      decode(x: { parameters: Uint8Array; data: Uint8Array }): Q | undefined;
    };
    readonly reply: {
      encode(r: R): { parameters: Uint8Array; data: Uint8Array };
      decode(x: { parameters: Uint8Array; data: Uint8Array }): R | undefined;
    };
  },
  q: Q,
  r: R,
): void {
  expect(p.request.decode(p.request.encode(q))).toEqual(q);
  expect(p.reply.decode(p.reply.encode(r))).toEqual(r);
}

const attributes: Attributes = {
  type: 'symlink',
  sizeBytes: 2 ** 33,
  links: 3,
  mode: 0o4755,
  uid: 1,
  gid: 2,
  version: 9,
  modifyNs: 1e18,
  changeNs: 7,
  accessNs: 0,
  identity: '4:1.2.3',
};

describe('name operations on a wire', () => {
  it('keep every argument and result', () => {
    roundTrip(procedures.one.stat, { ...from, argument: { follow: false } }, done(attributes));
    roundTrip(
      procedures.one.access,
      { ...from, argument: { read: true, write: false, execute: true } },
      done(null),
    );
    roundTrip(procedures.one.makeLink, { ...from, argument: { target: '/x/ö', remote: true } }, done(null));
    roundTrip(procedures.one.readLink, { ...from, argument: {} }, done('../y'));
    roundTrip(
      procedures.one.setAttributes,
      { ...from, argument: { change: { mode: 0o644, modifyNs: 5e9 }, follow: true } },
      done(null),
    );
    roundTrip(
      procedures.one.entries,
      { ...from, argument: { after: 'm' } },
      done({ names: ['n', 'ö'], complete: false }),
    );
    roundTrip(procedures.one.enter, { ...from, argument: {} }, done(token('1.2.3')));
  });

  it('keep every outcome', () => {
    for (const outcome of [redirect('/src/x', 4), above('../x'), staleName])
      expect(procedures.one.unlink.reply.decode(procedures.one.unlink.reply.encode(outcome))).toEqual(
        outcome,
      );
    const second = { is: 'second', of: redirect('/src', 4) } as const;
    expect(procedures.two.rename.reply.decode(procedures.two.rename.reply.encode(second))).toEqual(second);
  });

  it('put names into the text area and only words into the other', () => {
    const { parameters } = procedures.one.unlink.request.encode({ ...from, argument: {} });
    expect(parameters.length % 4).toBe(0);
    expect(decodeUtf8(parameters).includes('sun3')).toBe(false);
  });

  it('never throw on bytes that somebody else made', () => {
    const random: RandomStream = new Engine({ seed: 5 }).random('fuzz');
    const bytes = (n: number): Uint8Array => new Uint8Array(n).map(() => random.below(256));
    const all = [...Object.values(procedures.one), ...Object.values(procedures.two)];
    let decoded = 0;
    for (let i = 0; i < 3000; i++) {
      const p = random.pick(all);
      const codec = random.chance(0.5) ? p.request : p.reply;
      if (codec.decode({ parameters: bytes(random.below(120)), data: bytes(random.below(60)) }) !== undefined)
        decoded++;
    }
    expect(decoded).toBeLessThan(300);
  });
});
