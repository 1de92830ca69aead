/**
 * The architecture as rules: one ground floor (engine, wire, slots, and what several boards of one kind have in common),
 * one floor of boards (every other package), one roof (hosts, integration). What a board needs from another it asks for
 * by slot name.
 * @type {import('dependency-cruiser').IConfiguration}
 */
const ground = '^packages/(engine|wire|slots|file-service|rpc-service|uio|v-operations)/';

module.exports = {
  forbidden: [
    {
      name: 'no-cycle',
      comment:
        'Types may name each other (a scope its threads, a thread its scope); code may not need each other.',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'everything-resolves',
      comment: 'Except what the build makes: a committed bin file imports ../dist.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true, pathNot: '(^|/)dist/' },
    },
    {
      name: 'engine-and-wire-stand-alone',
      comment: 'The engine and the layouts import none of our packages, not even each other.',
      severity: 'error',
      from: { path: '^packages/(engine|wire)/' },
      to: { path: '^(packages|hosts|integration)/', pathNot: '^packages/$1/' },
    },
    {
      name: 'slots-know-only-engine-and-wire',
      severity: 'error',
      from: { path: '^packages/slots/' },
      to: { path: '^(packages|hosts|integration)/', pathNot: '^packages/(engine|wire|slots)/' },
    },
    {
      name: 'boards-know-only-the-ground-floor',
      comment: 'Ask for the neighbour by slot name; tests that need two boards live in integration/.',
      severity: 'error',
      from: { path: '^packages/(?!(?:engine|wire|slots)/)([^/]+)/' },
      to: { path: '^(packages|hosts|integration)/', pathNot: [ground, '^packages/$1/'] },
    },
    {
      name: 'chassis-knows-no-board',
      severity: 'error',
      from: { path: '^hosts/chassis/src' },
      to: { path: '^(packages|hosts|integration)/', pathNot: [ground, '^hosts/chassis/'] },
    },
    {
      name: 'chassis-libraries',
      severity: 'error',
      from: { path: '^hosts/chassis/src' },
      to: { path: 'node_modules/', pathNot: 'node_modules/(@types/)?(awilix|zod|semver)/' },
    },
    {
      name: 'hosts-do-not-import-integration',
      severity: 'error',
      from: { path: '^hosts/' },
      to: { path: '^integration/' },
    },
    {
      name: 'no-node-builtins-in-packages',
      comment: 'Packages run in a browser too.',
      severity: 'error',
      from: { path: '^packages/[^/]+/src' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'awilix-only-in-hosts',
      severity: 'error',
      from: { pathNot: '^hosts/' },
      to: { path: 'node_modules/awilix' },
    },
    {
      name: 'sources-do-not-import-tests',
      severity: 'error',
      from: { path: '^[^/]+/[^/]+/src' },
      to: { path: '^[^/]+/[^/]+/(test|bench)/' },
    },
    {
      name: 'through-the-front-door',
      comment: "Another package's files are reached by its name, never by a relative path.",
      severity: 'error',
      from: { path: '^([^/]+/[^/]+)/' },
      to: { path: '^(packages|hosts|integration)/', pathNot: '^$1/', dependencyTypes: ['local'] },
    },
    {
      name: 'sources-import-what-they-declare',
      severity: 'error',
      from: { path: '^(packages|hosts)/[^/]+/src' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['npm-peer'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(packages|hosts|integration)/[^/]+/(dist|coverage|[.]readme-[^/]+|[.]turbo)/' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      conditionNames: ['@backplane/source', 'import', 'types', 'default'],
      exportsFields: ['exports'],
      extensions: ['.ts', '.js', '.mjs'],
    },
  },
};
