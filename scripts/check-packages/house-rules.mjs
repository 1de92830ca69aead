import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import semver from 'semver';
import { ground } from '../workspace.mjs';

/** @typedef {import('../workspace.mjs').WorkspacePackage} WorkspacePackage */

/**
 * What we ask of a package beyond what npm and TypeScript ask.
 * @param {WorkspacePackage} one
 * @param {readonly WorkspacePackage[]} all the whole workspace
 * @returns {string[]} what is wrong
 */
export function houseRules(one, all) {
  const { folder, path, manifest } = one;
  const problems = [...internalRanges(manifest, all)];
  if (manifest.private === true) return problems;

  if (!existsSync(join(path, 'README.md'))) problems.push('has no README.md');
  if (!hasTests(join(path, 'test'))) problems.push('has no tests (test/**/*.test.ts)');
  if (manifest.exports?.['./package.json'] !== './package.json') {
    problems.push('exports has no "./package.json": a host could not read the manifest');
  }
  for (const field of ['description', 'license', 'repository', 'engines', 'files']) {
    if (!manifest[field]) problems.push(`package.json has no "${field}"`);
  }
  if (manifest.type !== 'module') problems.push('package.json: "type" must be "module"');
  if (manifest.sideEffects !== false) problems.push('package.json: "sideEffects" must be false');
  if (manifest.repository?.directory !== folder)
    problems.push(`package.json: repository.directory is not ${folder}`);
  if (one.floor === 'packages' && manifest.name !== `@backplane/${folder.split('/')[1]}`) {
    problems.push(`is called ${manifest.name}, not after its folder`);
  }
  return [...problems, ...boardRules(manifest, all)];
}

/** @param {Record<string, any>} manifest @param {readonly WorkspacePackage[]} all */
function boardRules(manifest, all) {
  const marked = (manifest.keywords ?? []).includes('backplane-component');
  if (!marked) {
    return manifest.backplane === undefined
      ? []
      : ['has a "backplane" manifest without the keyword backplane-component'];
  }
  const board = manifest.backplane;
  if (board === undefined) return ['has the keyword backplane-component and no "backplane" manifest'];

  /** @type {string[]} */
  const problems = [];
  if (!/^[a-z][A-Za-z]*\/[a-z0-9-]+$/.test(board.component ?? '')) {
    problems.push('backplane.component must read slot/variant');
  }
  const twins = all.filter((each) => each.manifest.backplane?.component === board.component);
  if (twins.length > 1)
    problems.push(`backplane.component is taken by ${twins.map((each) => each.folder).join(', ')}`);
  if (!strings(board.provides) || board.provides.length === 0) {
    problems.push('backplane.provides must name the slots it fills');
  }
  if (
    !strings(board.requires) ||
    !board.requires.every((/** @type {string} */ text) => requirement.test(text))
  ) {
    problems.push('backplane.requires must be a list of x, x? or x+capability');
  }
  if (!Number.isInteger(board.contract) || board.contract < 1) {
    problems.push('backplane.contract must be the version of the contract that it was written against');
  }
  if (!strings(board.capabilities)) problems.push('backplane.capabilities must be a list');
  if (board.protocols === undefined) problems.push('backplane.protocols must say what it speaks and serves');

  if (manifest.peerDependencies?.['@backplane/slots'] === undefined) {
    problems.push('peerDependencies has no @backplane/slots');
  }
  for (const name of ground.map((short) => `@backplane/${short}`)) {
    if (manifest.dependencies?.[name] !== undefined) {
      problems.push(`${name} must be a peer, not a dependency: one copy for all boards`);
    }
    const peer = manifest.peerDependencies?.[name];
    if (peer !== undefined && manifest.devDependencies?.[name] !== peer) {
      problems.push(`devDependencies must repeat the peer ${name}@${peer}`);
    }
  }
  return problems;
}

/**
 * npm links a neighbour only while its version satisfies the range; else it silently asks the registry.
 * @param {Record<string, any>} manifest
 * @param {readonly WorkspacePackage[]} all
 */
function* internalRanges(manifest, all) {
  for (const field of ['dependencies', 'devDependencies', 'peerDependencies', 'optionalDependencies']) {
    for (const [name, range] of Object.entries(manifest[field] ?? {})) {
      if (!name.startsWith('@backplane/')) continue;
      const local = all.find((each) => each.manifest.name === name);
      if (!local) yield `${field}: ${name} is no package of this repository`;
      else if (!semver.satisfies(local.manifest.version, range)) {
        yield `${field}: ${name}@${range} does not cover the local ${local.manifest.version}`;
      } else if (
        manifest.private !== true &&
        local.manifest.private === true &&
        field !== 'devDependencies'
      ) {
        yield `${field}: ${name} is private, a user could not install it`;
      }
    }
  }
}

const requirement = /^[a-z][A-Za-z]*(?:\?|\+[a-z][A-Za-z-]*)?$/;

/** @param {unknown} value @returns {value is string[]} */
function strings(value) {
  return Array.isArray(value) && value.every((one) => typeof one === 'string');
}

/** @param {string} path */
function hasTests(path) {
  return (
    existsSync(path) &&
    readdirSync(path, { recursive: true, encoding: 'utf8' }).some((name) => name.endsWith('.test.ts'))
  );
}
