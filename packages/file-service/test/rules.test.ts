import { hostId, isKernelError, type StoredAttributes, type Waiter } from '@backplane/slots';
import { describe, expect, it } from 'vitest';
import {
  fileOfToken,
  fileToken,
  isUnder,
  Locks,
  mayRemove,
  permits,
  permittedChange,
  tidy,
} from '../src/index.ts';

const someone = { uid: 10, gid: 20, groups: [30] };
const attributes = (mode: number, uid = 10, gid = 20): StoredAttributes => ({
  type: 'file',
  sizeBytes: 0,
  links: 1,
  mode,
  uid,
  gid,
  version: 1,
  modifyNs: 0,
  changeNs: 0,
  accessNs: 0,
  createNs: 0,
});

describe('permissions', () => {
  it('come from the first class that fits: owner, group, others', () => {
    expect(permits(attributes(0o077), someone, 'read')).toBe(false);
    expect(permits(attributes(0o707, 11, 30), someone, 'read')).toBe(false);
    expect(permits(attributes(0o060, 11, 30), someone, 'write')).toBe(true);
    expect(permits(attributes(0o001, 11, 31), someone, 'execute')).toBe(true);
  });

  it('do not bind the super user, except to execute what nobody may', () => {
    const root = { uid: 0, gid: 0, groups: [] };
    expect([
      permits(attributes(0), root, 'write'),
      permits(attributes(0o600), root, 'execute'),
      permits(attributes(0o001), root, 'execute'),
    ]).toEqual([true, false, true]);
  });

  it('let only owners take entries out of a sticky directory', () => {
    const sticky = { mode: 0o1777, uid: 1 };
    expect([
      mayRemove(sticky, { uid: 10 }, someone),
      mayRemove(sticky, { uid: 11 }, someone),
      mayRemove({ ...sticky, uid: 10 }, { uid: 11 }, someone),
      mayRemove({ ...sticky, mode: 0o777 }, { uid: 11 }, someone),
    ]).toEqual([true, false, true, true]);
  });

  it('let the owner change the mode and a group of his, and only the super user the owner', () => {
    const kind = (change: Parameters<typeof permittedChange>[0], who = someone): string => {
      try {
        permittedChange(change, attributes(0o644), who, 5);
        return 'ok';
      } catch (e) {
        return isKernelError(e) ? e.kind : 'other';
      }
    };
    expect([
      kind({ mode: 0o600 }),
      kind({ gid: 30 }),
      kind({ gid: 31 }),
      kind({ uid: 11 }),
      kind({ uid: 10 }),
      kind({ mode: 0o600 }, { ...someone, uid: 11 }),
    ]).toEqual(['ok', 'ok', 'notOwner', 'notOwner', 'ok', 'notOwner']);
  });

  it('clear the set-id bits when a file changes hands', () => {
    expect(permittedChange({ gid: 30 }, attributes(0o6755), someone, 5)).toEqual({
      gid: 30,
      mode: 0o755,
      changeNs: 5,
    });
  });
});

describe('locks', () => {
  const waiter = (ticket: number): Waiter => ({ host: hostId(1), ticket });
  const wouldBlock = (f: () => void): boolean => {
    try {
      f();
      return false;
    } catch (e) {
      return isKernelError(e, 'wouldBlock');
    }
  };

  it('are shared by many or held by one', () => {
    const locks = new Locks(() => {});
    locks.lock('f', 'a', 'shared', waiter(1));
    locks.lock('f', 'b', 'shared', waiter(2));
    expect(wouldBlock(() => locks.lock('f', 'a', 'exclusive', waiter(3)))).toBe(true);
    locks.unlock('f', 'b');
    locks.lock('f', 'a', 'exclusive', waiter(4));
    expect(wouldBlock(() => locks.lock('f', 'b', 'shared', waiter(5)))).toBe(true);
    expect(wouldBlock(() => locks.lock('g', 'b', 'exclusive', waiter(6)))).toBe(false);
  });

  it('wake everybody who waited when one is given up, weakened or broken', () => {
    const woken: number[] = [];
    const locks = new Locks((w) => woken.push(w.ticket));
    locks.lock('f', '1/a', 'exclusive', waiter(1));
    wouldBlock(() => locks.lock('f', '2/b', 'shared', waiter(2)));
    locks.lock('f', '1/a', 'shared', waiter(3));
    expect(woken).toEqual([2]);
    wouldBlock(() => locks.lock('f', '2/b', 'exclusive', waiter(4)));
    wouldBlock(() => locks.lock('f', '3/c', 'exclusive', waiter(5)));
    locks.breakWhere((owner) => owner.startsWith('1/'));
    expect(woken).toEqual([2, 4, 5]);
  });
});

describe('paths as text', () => {
  it('are compared by whole components and tidied without looking at directories', () => {
    expect([isUnder('/', '/a'), isUnder('/a', '/a'), isUnder('/a', '/a/b'), isUnder('/a', '/ab')]).toEqual([
      true,
      true,
      true,
      false,
    ]);
    expect([tidy('//a/./b//'), tidy('a/../b'), tidy('/'), tidy('/..')]).toEqual([
      '/a/b',
      'a/../b',
      '/',
      '/..',
    ]);
  });

  it('become tokens and back for files, and nothing else does', () => {
    const f = { domain: 1, number: 22, generation: 3 };
    expect(fileOfToken(fileToken(f))).toEqual(f);
    for (const bad of ['', '1.2', '1.2.3.4', '1.x.3', '-1.2.3', '1.2.99999999999'])
      expect(fileOfToken(bad)).toBeUndefined();
  });
});
