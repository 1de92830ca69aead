import { describe, expect, it } from 'vitest';
import { backplane, Folder } from './console.ts';
import {
  componentCode,
  componentFile,
  componentManifest,
  experimentFile,
  kernelFile,
  plainKernelFile,
} from './files.ts';

interface RunJson {
  readonly experiment: string;
  readonly kernels: Readonly<
    Record<string, Readonly<Record<string, { readonly name: string; readonly options: object }>>>
  >;
  readonly result: { readonly seconds: number };
  readonly traceHash: string;
}
const run = async (words: readonly string[], folder: Folder): Promise<RunJson> => {
  const { code, stdout, stderr } = await backplane(['run', ...words, '--json'], folder.path);
  expect(stderr).toBe('');
  expect(code).toBe(0);
  return JSON.parse(stdout) as RunJson;
};

function installed(folder: Folder, manifest: object = componentManifest, code: string = componentCode): void {
  const at = 'node_modules/backplane-memory-policy-first-come';
  folder.file(`${at}/package.json`, JSON.stringify(manifest));
  folder.file(`${at}/index.js`, code);
}

describe('an experiment file', () => {
  it('runs like a built-in one, with its own options, in TypeScript and in JavaScript', async () => {
    using folder = new Folder();
    folder.file('touch.ts', experimentFile);
    const few = await run(['touch.ts', '--files', '2'], folder);
    const many = await run(['./touch.ts', '--files', '20'], folder);
    expect([few.experiment, many.experiment]).toEqual(['touch', 'touch']);
    expect(many.result.seconds).toBeGreaterThan(few.result.seconds);
    const untyped = experimentFile
      .replace(/^import type .*$/m, '')
      .replace(', type Experiment', '')
      .replace(/^interface .*$/gm, '')
      .replace(
        'const touch: Experiment<Parameters, Result> = defineExperiment<Parameters, Result>',
        'const touch = defineExperiment',
      )
      .replace(': Task<Result>', '');
    for (const name of ['plain.mjs', 'plain.js']) {
      folder.file(name, untyped);
      expect((await run([name, '--files', '2'], folder)).traceHash).toBe(few.traceHash);
    }
  });

  it('imports what lies beside it', async () => {
    using folder = new Folder();
    folder.file('sizes.ts', 'export const many: number = 5;');
    folder.file(
      'touch.ts',
      experimentFile
        .replace('given[', 'many ?? given[')
        .replace('\nimport type', "\nimport { many } from './sizes.ts';\nimport type"),
    );
    expect((await run(['touch.ts'], folder)).experiment).toBe('touch');
  });

  it('is compared and verified like a built-in one', async () => {
    using folder = new Folder();
    folder.file('touch.ts', experimentFile);
    const verified = await backplane(['verify', 'touch.ts', '--json'], folder.path);
    expect(JSON.parse(verified.stdout)).toMatchObject({ experiment: 'touch', equal: true });
    const compared = await backplane(
      ['compare', 'touch.ts', '--vary', 'fileCache=sprite,none', '--seeds', '2', '--json'],
      folder.path,
    );
    expect(JSON.parse(compared.stdout)).toMatchObject({ experiment: 'touch', seeds: 2 });
  });
});

describe('a kernel file', () => {
  it('is what every machine runs, a function of the role', async () => {
    using folder = new Folder();
    folder.file('touch.ts', experimentFile);
    folder.file('kernel.ts', kernelFile);
    const { kernels } = await run(['touch.ts', '--kernel', 'kernel.ts'], folder);
    for (const kernel of Object.values(kernels))
      expect(kernel['fileCache']?.name).toBe('@backplane/cache-none');
  });

  it('can be one kernel for all, or for one role', async () => {
    using folder = new Folder();
    folder.file('touch.ts', experimentFile);
    folder.file('kernel.ts', plainKernelFile);
    const policies = async (...words: readonly string[]) => {
      const { kernels } = await run(['touch.ts', ...words], folder);
      return Object.entries(kernels).map(([k, boards]) => [
        k,
        boards['memoryPolicy']?.name.replace(/.*-/, ''),
      ]);
    };
    expect(await policies('--kernel', 'kernel.ts')).toEqual([['sprite', 'fixed']]);
    expect(await policies('--kernel', 'client=kernel.ts', '--kernel', 'server=sprite')).toEqual([
      ['sprite-server', 'negotiated'],
      ['sprite', 'fixed'],
    ]);
  });

  it('is shown by graph', async () => {
    using folder = new Folder();
    folder.file('kernel.ts', kernelFile);
    expect((await backplane(['graph', '--kernel', 'client=kernel.ts'], folder.path)).stdout).toMatch(
      /fileCache {2}@backplane\/cache-none/,
    );
  });
});

describe('a component from outside', () => {
  it('is a file', async () => {
    using folder = new Folder();
    folder.file('touch.ts', experimentFile);
    folder.file('policy.ts', componentFile);
    const { kernels } = await run(['touch.ts', '--set', 'client.memoryPolicy=./policy.ts'], folder);
    expect(kernels['sprite']?.['memoryPolicy']?.name).toBe('backplane-memory-policy-first-come');
    expect(kernels['sprite-server']?.['memoryPolicy']?.name).toBe('@backplane/memory-policy-negotiated');
  });

  it('is a package, by its name or by its variant', async () => {
    using folder = new Folder();
    folder.file('touch.ts', experimentFile);
    installed(folder);
    for (const word of ['backplane-memory-policy-first-come', 'first-come']) {
      const { kernels } = await run(['touch.ts', '--set', `memoryPolicy=${word}`], folder);
      expect(kernels['sprite']?.['memoryPolicy']?.name).toBe('backplane-memory-policy-first-come');
    }
  });

  it('is listed without being run', async () => {
    using folder = new Folder();
    installed(folder, componentManifest, 'throw new Error("it was run");');
    const { stdout, code } = await backplane(['components', 'memoryPolicy', '--json'], folder.path);
    expect(code).toBe(0);
    expect(
      (JSON.parse(stdout) as { readonly components: readonly object[] }).components.at(-1),
    ).toMatchObject({
      name: 'backplane-memory-policy-first-come',
      short: 'first-come',
      options: null,
      outside: true,
    });
  });

  it('whose manifest is wrong is refused before its code runs, and left out of the list with the reason', async () => {
    const { backplane: b, ...rest } = componentManifest;
    const wrong: readonly (readonly [object, RegExp])[] = [
      [{ ...rest, backplane: { ...b, provides: undefined, provide: ['memoryPolicy'] } }, /backplane/],
      [{ ...rest, backplane: { ...b, provided: ['x'] } }, /"provided"[\s\S]*"provides"/],
      [
        { ...rest, backplane: { ...b, provides: ['memoryPolcy'] } },
        /no slot "memoryPolcy"[\s\S]*"memoryPolicy"/,
      ],
      [
        { ...rest, backplane: { ...b, requires: ['memry'] } },
        /backplane\.requires\.0.*no slot "memry"[\s\S]*"memory"/,
      ],
      [{ ...rest, backplane: { ...b, contract: 9 } }, /version 9 of the slot "memoryPolicy"/],
      [{ ...componentManifest, peerDependencies: {} }, /peerDependencies/],
      [{ ...componentManifest, peerDependencies: { '@backplane/slots': '^7.0.0' } }, /asks for \^7\.0\.0/],
    ];
    for (const [manifest, said] of wrong) {
      using folder = new Folder();
      installed(folder, manifest, 'throw new Error("it was run");');
      const set = `memoryPolicy=${componentManifest.name}`;
      const { code, stdout, stderr } = await backplane(['run', 'null-rpc', '--set', set], folder.path);
      expect([code, stdout], String(said)).toEqual([3, '']);
      expect(stderr).toMatch(said);
      expect(stderr).not.toMatch(/it was run/);
      const listed = await backplane(['components', 'memoryPolicy'], folder.path);
      expect(listed.stderr).toMatch(/left out: .*package\.json/);
    }
  });

  it('whose code says something else than its manifest is refused', async () => {
    using folder = new Folder();
    installed(
      folder,
      componentManifest,
      componentCode.replace("requires: ['memory']", "requires: ['memory', 'nic?']"),
    );
    const { code, stderr } = await backplane(
      ['run', 'null-rpc', '--set', 'memoryPolicy=first-come'],
      folder.path,
    );
    expect(code).toBe(3);
    expect(stderr).toMatch(/backplane\.requires: it says "memory", the code says "memory, nic\?"/);
  });
});

describe('check', () => {
  it('finds sound files sound, and writes and runs nothing', async () => {
    using folder = new Folder();
    folder.file(
      'touch.ts',
      experimentFile.replace('const startNs', "throw new Error('it ran'); const startNs"),
    );
    folder.file('kernel.ts', kernelFile);
    folder.file('policy.ts', componentFile);
    const before = folder.names;
    for (const [file, kind] of [
      ['touch.ts', 'experiment'],
      ['kernel.ts', 'kernel'],
      ['policy.ts', 'component'],
    ] as const) {
      const { code, stdout, stderr } = await backplane(['check', file, '--json'], folder.path);
      expect([code, stderr]).toEqual([0, '']);
      expect(JSON.parse(stdout)).toMatchObject({ file, kind });
    }
    expect(folder.names).toEqual(before);
  });

  it('says of a wrong file where, what was meant, and what to do', async () => {
    const kernel = kernelFile.trim();
    const experiment = experimentFile.trim();
    const wrong: readonly (readonly [string, RegExp])[] = [
      ['export const a: number = 3;\nexport default { x: 3,, };', /wrong\.ts:2:\d+: Unexpected token/],
      [
        kernel.replace('@backplane/cache-none', '@backplane/cache-non'),
        /imports "@backplane\/cache-non"[\s\S]*"@backplane\/cache-none"/,
      ],
      [kernel.replaceAll('spriteClient', 'spriteClent'), /exports no "spriteClent"[\s\S]*"spriteClient"/],
      [
        kernel.replace('noCache()', 'noCache({ sise: 3 } as never)'),
        /wrong\.ts: @backplane\/cache-none: .*sise/,
      ],
      [plainKernelFile.trim().replace('filesShare', 'fileShare'), /wrong\.ts:\d+: .*fileShare/],
      [kernel.replace(/=>[\s\S]*$/, '=> 3 as never;'), /returns no kernel for a server/],
      [experiment.replace('measures:', 'mesures:'), /no member "mesures"[\s\S]*"measures"/],
      [experiment.replace(/^ {2}table:.*$/m, ''), /has no "table"/],
      [experiment.replace("name: 'touch'", 'name: 7 as never'), /"name" of the experiment is no text/],
      [experiment.replace('servers: 1', 'servers: -1'), /shape of the experiment: servers/],
      [
        experiment.replace("client: 'sun3-75'", "client: 'sun3-57'"),
        /no machine type "sun3-57"[\s\S]*"sun3-75"/,
      ],
      [experiment.replace('export default touch', 'export { touch }'), /no default export, only touch/],
      [componentFile.replace('contract: 1', 'contract: 4'), /version 4 of the slot "memoryPolicy"/],
      ["throw new Error('no luck');", /wrong\.ts:1: no luck/],
    ];
    for (const [text, said] of wrong) {
      using folder = new Folder();
      folder.file('wrong.ts', text);
      const { code, stdout, stderr } = await backplane(['check', 'wrong.ts'], folder.path);
      expect(stderr, text).toMatch(said);
      expect(stderr).toMatch(/\nTry: ./);
      expect([code, stdout]).toEqual([3, '']);
      expect(folder.names).toEqual(['wrong.ts']);
    }
  });

  it('names the nearest file, and says when a file is of another kind', async () => {
    using folder = new Folder();
    folder.file('touch.ts', experimentFile);
    folder.file('kernel.ts', kernelFile);
    for (const [words, said] of [
      [['check', 'tuoch.ts'], /no such file[\s\S]*"touch.ts"/],
      [['check', '.'], /it is a directory/],
      [['run', 'kernel.ts'], /it is a kernel, not an experiment[\s\S]*--kernel kernel\.ts/],
      [['run', 'null-rpc', '--kernel', 'touch.ts'], /it is an experiment, not a kernel/],
      [['run', 'null-rpc', '--set', 'memory=./kernel.ts'], /it exports no component/],
    ] as const) {
      const { code, stderr } = await backplane(words, folder.path);
      expect(code).toBe(3);
      expect(stderr).toMatch(said);
    }
  });
});
