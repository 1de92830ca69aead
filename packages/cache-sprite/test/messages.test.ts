/** Messages come from anybody: what is not one of ours is undefined, never an exception. */
import { Engine } from '@backplane/engine';
import { type FileId, type StoredAttributes, streamId } from '@backplane/slots';
import { describe, expect, it } from 'vitest';
import { consist, consistReply } from '../src/consist-procedures.ts';
import { lockFile, readFile, setFileAttributes, writeFile } from '../src/io-procedures.ts';
import { closeFile, openFile, reopenFile, restoreFile } from '../src/open-procedures.ts';

const file: FileId = { domain: 1, number: 2, generation: 3 };
const attributes: StoredAttributes = {
  type: 'file',
  sizeBytes: 2 ** 33,
  links: 1,
  mode: 0o644,
  uid: 7,
  gid: 8,
  version: 9,
  modifyNs: 10,
  changeNs: 11,
  accessNs: 12,
  createNs: 13,
};
const grant = {
  cacheable: true,
  stamp: { life: 570_067_200, number: 5 },
  goodFrom: { number: 8, thisLife: true },
  emptiedAt: 4,
  attributes,
};

describe('messages', () => {
  it('say the same when they arrive', () => {
    const open = { start: file, path: 'a/b', how: { read: true, mode: 0o666 }, machineType: 'sun3' };
    const q = { ...open, who: { uid: 1, gid: 2, groups: [3, 4] } };
    expect(openFile.request.decode(openFile.request.encode(q))).toEqual(q);
    const a = { is: 'done', value: { file, ...grant } } as const;
    expect(openFile.reply.decode(openFile.reply.encode(a))).toEqual(a);
    const reopen = {
      file,
      round: 2,
      uses: { opens: 3, writers: 2, executers: 1 },
      cached: true,
      dirty: true,
      version: { number: 7, life: 570_067_200 },
      unanswered: 1,
      sizeBytes: 2 ** 40,
      locks: [
        { owner: '1.2.3', mode: 'shared' },
        { owner: '4.5.6', mode: 'exclusive' },
      ],
    } as const;
    expect(reopenFile.request.decode(reopenFile.request.encode(reopen))).toEqual(reopen);
    expect(restoreFile.request.decode(restoreFile.request.encode(reopen))).toEqual(reopen);
    expect(reopenFile.reply.decode(reopenFile.reply.encode(grant))).toEqual(grant);
    const close = {
      file,
      uses: { opens: 1, writers: 0, executers: 0 },
      dirty: true,
      report: { sizeBytes: 1, modifyNs: 2 ** 50, accessNs: 3 },
      lockOwner: '1.2.3',
    };
    expect(closeFile.request.decode(closeFile.request.encode(close))).toEqual(close);
    const writeBack = { stamp: grant.stamp, lastDirty: true, toDisk: true, modifyNs: 99 };
    for (const record of [
      { file, at: 'end', writeBack: null },
      { file, at: { shared: streamId('1.2.3') }, writeBack: null },
      { file, at: 4096, writeBack },
    ] as const) {
      const write = { record, data: new Uint8Array(3) };
      expect(writeFile.request.decode(writeFile.request.encode(write))).toEqual(write);
    }
    const callback = { file, stamp: grant.stamp, flags: 3, ticket: 77 };
    expect(consist.request.decode(consist.request.encode(callback))).toEqual(callback);
    const report = { ticket: 77, error: 13, report: { sizeBytes: 5, modifyNs: 6, accessNs: 7 } };
    expect(consistReply.request.decode(consistReply.request.encode(report))).toEqual(report);
  });

  it('that nobody of us made are undefined', () => {
    const random = new Engine({ seed: 5 }).random('messages');
    let sensible = 0;
    for (let n = 0; n < 3000; n++) {
      const payload = {
        parameters: Uint8Array.from({ length: random.below(80) }, () =>
          random.chance(0.7) ? 0 : random.below(256),
        ),
        data: Uint8Array.from({ length: random.below(40) }, () => random.below(256)),
      };
      for (const p of [
        openFile,
        closeFile,
        reopenFile,
        restoreFile,
        readFile,
        writeFile,
        setFileAttributes,
        lockFile,
        consist,
      ])
        if (p.request.decode(payload) !== undefined) sensible++;
    }
    // A few requests are so short that chance makes one.
    expect(sensible).toBeLessThan(3000);
  });
});
