import { hostId, type PayloadCodec, type StoredAttributes } from '@backplane/slots';
import { describe, expect, it } from 'vitest';
import {
  aboutFile,
  bytesReply,
  lockModes,
  lockOwnerBytesMax,
  lockRequest,
  openRequest,
  setRequest,
  storedReply,
  truncateRequest,
} from '../src/index.ts';

const file = { domain: 1, number: 2, generation: 3 };
const who = { uid: 7, gid: 8, groups: [9] };
const waiter = { host: hostId(4), ticket: 11 };
const attributes: StoredAttributes = {
  type: 'file',
  sizeBytes: 2 ** 33,
  links: 1,
  mode: 0o644,
  uid: 7,
  gid: 8,
  version: 5,
  modifyNs: 1e15,
  changeNs: 2e15,
  accessNs: 3e15,
  createNs: 4e15,
};

const sizes = <T>(codec: PayloadCodec<T>, value: T): readonly number[] => {
  const payload = codec.encode(value);
  expect(codec.decode(payload)).toEqual(value);
  const longer = { ...payload, parameters: Uint8Array.from([...payload.parameters, 0]) };
  expect(codec.decode(longer)).toBeUndefined();
  return [payload.parameters.length, payload.data.length];
};

describe('requests about one file', () => {
  it('come back as they were sent, in words and text, and do not decode with bytes left over', () => {
    expect(sizes(aboutFile, file)).toEqual([12, 0]);
    expect(sizes(truncateRequest, { file, sizeBytes: 2 ** 40 })).toEqual([20, 0]);
    const how = { read: true, create: true, mode: 0o600 };
    const open = { start: file, path: '/a/ä', how, who, machineType: 'sun3' };
    expect(sizes(openRequest, open)[0]).toBe(12 + 8 + 16);
    sizes(setRequest, { file, who, change: { mode: 0o600, modifyNs: 9e15 } });
  });

  it('about a lock name its mode, who wants it, and who is to be woken', () => {
    for (const mode of lockModes)
      sizes(lockRequest, { file, mode, owner: 'x'.repeat(lockOwnerBytesMax), waiter });
    const { parameters, data } = lockRequest.encode({ file, mode: 'shared', owner: 'x'.repeat(65), waiter });
    expect(lockRequest.decode({ parameters, data })).toBeUndefined();
  });
});

describe('replies', () => {
  it('are attributes, or bytes', () => {
    sizes(storedReply, attributes);
    expect(sizes(bytesReply, { record: null, data: Uint8Array.of(1, 2, 3) })).toEqual([0, 3]);
  });
});
