import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { houseRules } from '../check-packages/house-rules.mjs';
import type { WorkspacePackage } from '../workspace.mjs';

let path = '';

beforeAll(() => {
  path = mkdtempSync(join(tmpdir(), 'house-rules-'));
  mkdirSync(join(path, 'test'));
  writeFileSync(join(path, 'README.md'), '# rpc-x\n');
  writeFileSync(join(path, 'test/call.test.ts'), '');
});

afterAll(() => rmSync(path, { recursive: true }));

const slots = {
  floor: 'packages',
  folder: 'packages/slots',
  path: '',
  manifest: { name: '@backplane/slots', version: '1.2.0' },
};

const board = (changes = {}): WorkspacePackage => ({
  floor: 'packages',
  folder: 'packages/rpc-x',
  path,
  manifest: {
    name: '@backplane/rpc-x',
    version: '0.1.0',
    description: 'x',
    license: 'MIT',
    type: 'module',
    sideEffects: false,
    engines: { node: '>=20.19.0' },
    repository: { type: 'git', url: 'x', directory: 'packages/rpc-x' },
    exports: { '.': './dist/index.js', './package.json': './package.json' },
    files: ['dist', 'src'],
    keywords: ['backplane-component'],
    backplane: {
      component: 'transport/x',
      provides: ['transport'],
      requires: ['nic', 'locator?', 'transport+group'],
      contract: 1,
      capabilities: [],
      protocols: [],
    },
    peerDependencies: { '@backplane/slots': '^1.0.0' },
    devDependencies: { '@backplane/slots': '^1.0.0' },
    ...changes,
  },
});

const problems = (one: WorkspacePackage, others: WorkspacePackage[] = []) =>
  houseRules(one, [slots, one, ...others]);

describe('house rules of packages', () => {
  it('have nothing against a proper board', () => {
    expect(problems(board())).toEqual([]);
  });

  it('ask for a README and tests', () => {
    const empty = { ...board(), path: join(path, 'test') };
    expect(problems(empty)).toEqual(['has no README.md', 'has no tests (test/**/*.test.ts)']);
  });

  it('ask that a host can read the manifest', () => {
    expect(problems(board({ exports: { '.': './dist/index.js' } }))).toEqual([
      'exports has no "./package.json": a host could not read the manifest',
    ]);
  });

  it.each([
    ['component', 'sprite', 'backplane.component must read slot/variant'],
    ['provides', [], 'backplane.provides must name the slots it fills'],
    ['requires', ['nic!'], 'backplane.requires must be a list of x, x? or x+capability'],
    ['contract', '1', 'backplane.contract must be the version of the contract that it was written against'],
    ['capabilities', undefined, 'backplane.capabilities must be a list'],
    ['protocols', undefined, 'backplane.protocols must say what it speaks and serves'],
  ])('refuse a manifest whose %s is %j', (field, value, message) => {
    const wrong = { ...board().manifest.backplane, [field]: value };
    expect(problems(board({ backplane: wrong }))).toEqual([message]);
  });

  it('refuse the keyword without a manifest, and a manifest without the keyword', () => {
    expect(problems(board({ backplane: undefined }))).toEqual([
      'has the keyword backplane-component and no "backplane" manifest',
    ]);
    expect(problems(board({ keywords: [] }))).toEqual([
      'has a "backplane" manifest without the keyword backplane-component',
    ]);
  });

  it('refuse two boards of one name', () => {
    const twin = { ...board(), folder: 'packages/rpc-y' };
    expect(problems(board(), [twin])).toEqual([
      'backplane.component is taken by packages/rpc-x, packages/rpc-y',
    ]);
  });

  it('refuse the ground floor as a dependency of a board', () => {
    const wrong = board({ dependencies: { '@backplane/slots': '^1.0.0' }, peerDependencies: {} });
    expect(problems(wrong)).toEqual([
      'peerDependencies has no @backplane/slots',
      '@backplane/slots must be a peer, not a dependency: one copy for all boards',
    ]);
  });

  it('refuse an internal range that does not cover the local version', () => {
    const old = { '@backplane/slots': '^0.9.0' };
    expect(problems(board({ peerDependencies: old, devDependencies: old }))).toEqual([
      'devDependencies: @backplane/slots@^0.9.0 does not cover the local 1.2.0',
      'peerDependencies: @backplane/slots@^0.9.0 does not cover the local 1.2.0',
    ]);
  });

  it('refuse a neighbour that does not exist', () => {
    expect(problems(board({ dependencies: { '@backplane/gone': '^1.0.0' } }))).toEqual([
      'dependencies: @backplane/gone is no package of this repository',
    ]);
  });
});
