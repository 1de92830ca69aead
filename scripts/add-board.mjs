#!/usr/bin/env node
/**
 * Makes the configuration files of a new package. Sources, tests and README.md are its author's to write.
 *
 *   node scripts/add-board.mjs NAME "description" [options]
 *
 *   --slot S          the slot it fills (more than one: --slot a --slot b)
 *   --component C     its string id; `<slot>/<rest of NAME>` when absent
 *   --requires R      a slot it needs: x, x?, x+capability (repeat)
 *   --capability C    a capability it offers in its slot (repeat)
 *   --protocol P      a protocol it speaks or serves (repeat)
 *   --needs G         engine, slots or wire, in the range of today; a board always has engine and slots (repeat)
 *   --dep LIBRARY     a library that the repository declares already, or a package of ours (repeat)
 *   --plain           a package of packages/ that fills no slot (tables, programs): no manifest
 *   --host            a package of the roof: hosts/NAME, no manifest, no peers
 *   --integration     a private package of tests: integration/NAME
 *
 * It does not run `npm install`. It links the package into node_modules, so that its neighbours can import it at once;
 * the lock file learns of it at the next `npm install`.
 */
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ground, root, workspacePackages } from './workspace.mjs';

const many = /** @type {const} */ ({ type: 'string', multiple: true });
const { values: given, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    slot: many,
    component: { type: 'string' },
    requires: many,
    capability: many,
    protocol: many,
    needs: many,
    dep: many,
    plain: { type: 'boolean', default: false },
    host: { type: 'boolean', default: false },
    integration: { type: 'boolean', default: false },
  },
});

const none = { slot: [], requires: [], capability: [], protocol: [], needs: [], dep: [] };
const values = { ...none, ...given };
const [name = '', description = ''] = positionals;
if (name === '' || description === '' || positionals.length > 2) {
  fail('usage: node scripts/add-board.mjs NAME "description" [--slot S] [--host | --integration] ...');
}
if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name)) fail(`"${name}" is not a name such as rpc-sprite`);
if (values.host && values.integration) fail('--host or --integration, not both');

const floor = values.host ? 'hosts' : values.integration ? 'integration' : 'packages';
const folder = `${floor}/${name}`;
if (existsSync(join(root, folder, 'package.json'))) fail(`${folder} has a package.json already`);
if (floor === 'packages' && (values.slot.length === 0) !== values.plain) {
  fail('a board fills a slot: give --slot S; a package that fills none: --plain; one of the roof: --host');
}

const everyone = workspacePackages();
const rootManifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

write('package.json', `${JSON.stringify(manifest(), null, 2)}\n`);
write('tsconfig.json', `${tsconfig()}\n`);
write('vitest.config.ts', "export { default } from '../../vitest.base.ts';\n");
if (floor !== 'integration') {
  write(
    'tsconfig.build.json',
    `{
  "extends": "../../tsconfig.base.json",
  "compilerOptions": { ${floor === 'hosts' ? '"types": ["node"], ' : ''}"rootDir": "src", "outDir": "dist", "noEmit": false },
  "include": ["src"]
}
`,
  );
  write(
    'tsup.config.ts',
    `import { defineConfig } from 'tsup';
import { base } from '../../tsup.base.ts';

export default defineConfig({ ...base, tsconfig: 'tsconfig.build.json' });
`,
  );
}
link();
process.stdout.write(`${folder}: written. Next: src/index.ts, test/, README.md; then npm install, once.\n`);

function manifest() {
  const packageName = floor === 'integration' ? `@backplane/integration-${name}` : `@backplane/${name}`;
  if (floor === 'integration') {
    return {
      name: packageName,
      version: '0.0.0',
      private: true,
      description,
      license: 'MIT',
      type: 'module',
      ...(values.dep.length > 0 && { dependencies: libraries() }),
    };
  }
  const shared = {
    name: packageName,
    version: '0.1.0',
    description,
    license: 'MIT',
    type: 'module',
    sideEffects: false,
    engines: { node: '>=20.19.0' },
    repository: {
      type: 'git',
      url: 'git+https://example.invalid/backplane/backplane.git',
      directory: folder,
    },
    exports: {
      '.': {
        '@backplane/source': './src/index.ts',
        types: './dist/index.d.ts',
        default: './dist/index.js',
      },
      './package.json': './package.json',
    },
    files: ['dist', 'src'],
    publishConfig: { access: 'public' },
    scripts: { build: 'tsup' },
  };
  if (floor === 'hosts') {
    return {
      ...shared,
      keywords: ['backplane', 'operating-system', 'emulation'],
      ...((values.dep.length > 0 || values.needs.length > 0) && {
        dependencies: sorted({ ...libraries(), ...groundRanges(values.needs) }),
      }),
    };
  }
  const peers = groundRanges([...new Set([...(values.plain ? [] : ['engine', 'slots']), ...values.needs])]);
  const [slot] = values.slot;
  const board = {
    component: values.component ?? `${slot}/${name.replace(/^[a-z0-9]+-/, '')}`,
    provides: values.slot,
    requires: values.requires,
    contract: 1,
    capabilities: values.capability,
    protocols: values.protocol,
  };
  const keywords = ['operating-system', 'emulation'];
  return {
    ...shared,
    ...(slot === undefined
      ? { keywords: ['backplane', ...keywords] }
      : { keywords: ['backplane', 'backplane-component', ...keywords], backplane: board }),
    ...(values.dep.length > 0 && { dependencies: libraries() }),
    ...(Object.keys(peers).length > 0 && { peerDependencies: peers, devDependencies: peers }),
  };
}

function tsconfig() {
  if (floor === 'packages') {
    return `{
  "extends": "../../tsconfig.base.json",
  "include": ["src", "test", "bench"]
}`;
  }
  const options =
    floor === 'hosts'
      ? '{ "types": ["node"] }'
      : `{
    "isolatedDeclarations": false,
    "declaration": false,
    "declarationMap": false,
    "types": ["node"]
  }`;
  return `{
  "extends": "../../tsconfig.base.json",
  "compilerOptions": ${options},
  "include": ["src", "test", "bench"]
}`;
}

/** @param {string[]} wanted */
function groundRanges(wanted) {
  return sorted(
    Object.fromEntries(
      wanted.map((one) => {
        if (!ground.includes(one)) fail(`--needs ${one}: the ground floor is ${ground.join(', ')}`);
        const found = everyone.find((each) => each.manifest.name === `@backplane/${one}`);
        if (!found) fail(`no package @backplane/${one}`);
        return [`@backplane/${one}`, `^${found.manifest.version}`];
      }),
    ),
  );
}

/** The range in which another package, or the root, already declares each library. */
function libraries() {
  const declared = [...everyone.map((each) => each.manifest), rootManifest];
  const pairs = values.dep.map((library) => {
    const own = everyone.find((each) => each.manifest.name === library);
    if (own) return [library, `^${own.manifest.version}`];
    for (const one of declared) {
      const range = one.dependencies?.[library] ?? one.devDependencies?.[library];
      if (range !== undefined) return [library, range];
    }
    return fail(`--dep ${library}: nothing here declares it; add it to the manifest by hand, with a range`);
  });
  return sorted(Object.fromEntries(pairs));
}

/**
 * @template T
 * @param {Record<string, T>} object
 * @returns {Record<string, T>}
 */
function sorted(object) {
  return Object.fromEntries(Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** @param {string} file @param {string} text */
function write(file, text) {
  const path = join(root, folder, file);
  mkdirSync(join(root, folder), { recursive: true });
  if (existsSync(path)) process.stdout.write(`${folder}/${file}: kept as it is\n`);
  else writeFileSync(path, text);
}

function link() {
  const scope = join(root, 'node_modules/@backplane');
  const target = join(scope, floor === 'integration' ? `integration-${name}` : name);
  if (existsSync(scope) && !existsSync(target)) symlinkSync(join('../..', folder), target);
}

/** @param {string} message @returns {never} */
function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}
