import { describe, expect, it } from 'vitest';
import { backplane, Folder } from './console.ts';

/** Options whose files must not be there after a refusal. */
const outputs = (folder: Folder): readonly string[] => [
  '--trace',
  folder.at('run.pftrace'),
  '--pcap',
  folder.at('run.pcapng'),
];

describe('wrong input', () => {
  it('ends with 3, says where and what to try, runs nothing and writes nothing', async () => {
    const cases: readonly (readonly [readonly string[], RegExp])[] = [
      [['run', 'null-rcp'], /no experiment "null-rcp".*\n.*"null-rpc"/],
      [['run', './null-rpc.ts'], /no such file/],
      [['run', 'null-rpc', '--cals', '3'], /no option --cals.*\n.*"--calls"/],
      [['run', 'null-rpc', '--calls'], /--calls needs a value/],
      [['run', 'null-rpc', '--calls', 'many'], /--calls takes a whole number/],
      [['run', 'null-rpc', '--set', 'transport=sprit'], /no installed board.*\n.*"sprite"/],
      [['run', 'null-rpc', '--set', 'transport=@backplane/rpc-sprit'], /no such package.*\n.*rpc-sprite/],
      [['run', 'null-rpc', '--set', 'transport=lru'], /for the slot "blockCache".*\n.*blockCache=lru/],
      [['run', 'null-rpc', '--set', 'trnsport=sprite'], /no slot "trnsport".*\n.*"transport"/],
      [
        ['run', 'null-rpc', '--set', 'clint.transport=sprite'],
        /no machine has the role "clint".*\n.*"client"/,
      ],
      [['run', 'null-rpc', '--set', 'transport=sprite:retrys=3'], /retrys/],
      [['run', 'null-rpc', '--set', 'transport'], /this is no setting/],
      [['run', 'null-rpc', '--set', 'transport=sprite:x'], /"x" is no option/],
      [['run', 'null-rpc', '--kernel', 'spirte'], /no kernel "spirte".*\n.*"sprite"/],
      [['run', 'null-rpc', '--kernel', 'clint=sprite'], /no machine has the role "clint".*\n.*"client"/],
      [['run', 'null-rpc', '--machine', 'sun3-57'], /no machine type.*\n.*"sun3-75"/],
      [['run', 'null-rpc', '--machine', 'sever=sun3-75'], /no machine has the role "sever".*\n.*"server"/],
      [['run', 'null-rpc', '--machines', '0'], /--machines takes a whole number/],
      [['run', 'null-rpc', '--servers', '0'], /needs at least 1 server/],
      [['run', 'rpc8k', '--machines', '1'], /needs at least 2 clients/],
      [['run', 'rpc8k', '--servers', '1'], /takes at most 0 servers/],
      [['run', 'null-rpc', '--fault', 'los=2%'], /no fault "los".*\n.*"loss"/],
      [['run', 'null-rpc', '--fault', 'loss=two'], /"two" is no share/],
      [['run', 'null-rpc', '--fault', 'crash=alspice@3s'], /no machine "alspice".*\n.*"allspice"/],
      [['run', 'andrew', '--tree', '/no/such/place'], /no such directory/],
      [['run', 'null-rpc', '--tree', '.'], /takes no tree/],
      [['run', 'andrew', '--preserve'], /--preserve keeps what a tree has/],
      [['run', 'null-rpc', '--seed', 'x'], /--seed takes a whole number/],
      [['run', 'null-rpc', '--until', 'soon'], /--until takes a duration/],
      [['run', 'replay'], /needs an operation file/],
      [['compare', 'null-rpc', '--vary', 'transport=sprite'], /compares nothing/],
      [['compare', 'null-rpc', '--vary', 'transport=sprite,sprit'], /no installed board.*\n.*"sprite"/],
      [['compare', 'null-rpc', '--vary', 'transport=sprite,sprite', '--seeds', '0'], /--seeds takes/],
      [['verify', 'null-rcp'], /no experiment "null-rcp"/],
    ];
    for (const [words, said] of cases) {
      using folder = new Folder();
      const { code, stdout, stderr } = await backplane([...words, ...outputs(folder)], folder.path);
      expect(stderr, words.join(' ')).toMatch(said);
      expect(stderr, words.join(' ')).toMatch(/\nTry: ./);
      expect([code, stdout], words.join(' ')).toEqual([3, '']);
      expect(folder.names, words.join(' ')).toEqual([]);
    }
  });

  it('is also a file that cannot be written, before the run begins', async () => {
    using folder = new Folder();
    for (const option of ['--trace', '--pcap', '--report'])
      for (const file of [folder.path, folder.at('no/such/place.out')]) {
        const { code, stdout, stderr } = await backplane(['run', 'null-rpc', option, file], folder.path);
        expect([code, stdout]).toEqual([3, '']);
        expect(stderr).toMatch(new RegExp(`${option} .*: (this is a directory|there is no directory)`));
      }
    expect(folder.names).toEqual([]);
  });

  it('is also an unknown table, slot, command, or no command', async () => {
    for (const [words, said] of [
      [['published', 'sprite-rcp'], /no published table.*\n.*"sprite-rpc"/],
      [['components', 'trnsport'], /no slot "trnsport".*\n.*transport/],
      [['graph', '--kernel', 'spirte'], /no kernel "spirte"/],
      [['graph', '--kernel', 'clint=sprite'], /no machine has the role "clint"/],
      [['bench', 'w7'], /no benchmark "w7"/],
      [['no-such-command'], /unknown command/],
      [['rnu'], /Did you mean run/],
      [['compare', 'null-rpc'], /required option '--vary/],
    ] as const) {
      const { code, stdout, stderr } = await backplane(words);
      expect(stderr, words.join(' ')).toMatch(said);
      expect([code, stdout], words.join(' ')).toEqual([3, '']);
    }
  });
});

describe('a run', () => {
  it('that fails in virtual time ends with 1, with the stack of what began it', async () => {
    using folder = new Folder();
    folder.file(
      'fails.mjs',
      `import { defineExperiment } from '@backplane/lab';
export default defineExperiment({
  name: 'fails', description: 'fails', parameterTexts: [], parameters: () => ({}),
  shape: () => ({ clients: 1, servers: 1, machineTypes: { client: 'zero-cost', server: 'zero-cost' }, prefixes: [['/']] }),
  *run() { throw new Error('no luck today'); },
  measures: () => ({}), table: () => ({ title: '', head: [], rows: [] }),
});`,
    );
    const { code, stdout, stderr } = await backplane(['run', 'fails.mjs'], folder.path);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/no luck today[\s\S]*fails\.mjs/);
  });

  it('whose property does not hold ends with 1', async () => {
    using folder = new Folder();
    const ops = folder.file('wrong.ops', 'mkdir /a 755\nmust 1: absent /a\n');
    const { code, stdout } = await backplane(['run', 'replay', '--ops', ops]);
    expect(code).toBe(1);
    expect(stdout).toMatch(/condition .*failed/);
  });

  it('that does not come to its end ends with 2, and leaves what was recorded', async () => {
    using folder = new Folder();
    const words = ['run', 'rpc8k', '--seconds', '100', '--until', '500ms', ...outputs(folder)];
    const { code, stderr } = await backplane(words, folder.path);
    expect(code).toBe(2);
    expect(stderr).toMatch(/had not ended after 0.5 virtual seconds/);
    expect(folder.names).toEqual(['run.pcapng', 'run.pcapng.lua', 'run.pftrace']);
  });

  it('in which nothing is left to happen ends with 2', async () => {
    using folder = new Folder();
    folder.file(
      'waits.mjs',
      `import { Channel } from '@backplane/engine';
import { defineExperiment } from '@backplane/lab';
export default defineExperiment({
  name: 'waits', description: 'waits', parameterTexts: [], parameters: () => ({}),
  shape: () => ({ clients: 1, servers: 1, machineTypes: { client: 'zero-cost', server: 'zero-cost' }, prefixes: [['/']] }),
  *run() { yield* new Channel().receive(); },
  measures: () => ({}), table: () => ({ title: '', head: [], rows: [] }),
});`,
    );
    const { code, stderr } = await backplane(
      ['run', 'waits.mjs', '--set', 'transport=sprite:hostMonitor=false'],
      folder.path,
    );
    expect(code).toBe(2);
    expect(stderr).toMatch(/waits for ever: after .* nothing is left to happen/);
  });
});

describe('an interrupt', () => {
  /** Presses Ctrl-C itself: in its run at one virtual second, or when so many runs have been measured. */
  const pressing = (where: 'run' | number): string => `import { seconds, sleep } from '@backplane/engine';
import { defineExperiment } from '@backplane/lab';
let measured = 0;
export default defineExperiment({
  name: 'pressing', description: 'presses', parameterTexts: [], parameters: () => ({}),
  shape: () => ({ clients: 1, servers: 1, machineTypes: { client: 'zero-cost', server: 'zero-cost' }, prefixes: [['/']] }),
  *run() {
    yield* sleep(seconds(1));
    if (${where === 'run'}) {
      process.emit('SIGINT');
      yield* sleep(seconds(1e6));
    }
    return 0;
  },
  measures: () => {
    if (++measured === ${where === 'run' ? 0 : where}) process.emit('SIGINT');
    return { 'pressing.runs': 1 };
  },
  table: () => ({ title: '', head: [], rows: [] }),
});`;

  it('ends a run with 130, and keeps what was recorded', async () => {
    using folder = new Folder();
    folder.file('pressing.mjs', pressing('run'));
    const words = ['run', 'pressing.mjs', ...outputs(folder), '--report', folder.at('r.html')];
    const { code, stdout, stderr } = await backplane(words, folder.path);
    expect([code, stdout]).toEqual([130, '']);
    expect(stderr).toMatch(/Interrupted/);
    expect(folder.names).toEqual(['pressing.mjs', 'run.pcapng', 'run.pcapng.lua', 'run.pftrace']);
  });

  it('ends a comparison with 130, and compares the seeds that were finished', async () => {
    using folder = new Folder();
    // The fifth run is the first of the third seed.
    folder.file('pressing.mjs', pressing(5));
    const vary = ['--vary', 'transport=sprite,sprite:hostMonitor=false', '--seeds', '50', '--json'];
    const words = ['compare', 'pressing.mjs', ...vary, '--report', folder.at('r.html')];
    const { code, stdout, stderr } = await backplane(words, folder.path);
    expect(code).toBe(130);
    expect(JSON.parse(stdout)).toMatchObject({ seeds: 2, variants: [{ firstDivergence: null }] });
    expect(stderr).toMatch(/2 of 50 seeds were finished/);
    expect(folder.names).toEqual(['pressing.mjs', 'r.html']);
  });

  it('of a comparison before its first seed is finished leaves nothing', async () => {
    using folder = new Folder();
    folder.file('pressing.mjs', pressing(1));
    const words = [
      'compare',
      'pressing.mjs',
      '--vary',
      'scheduler=sprite,sprite',
      '--report',
      folder.at('r.html'),
    ];
    expect(await backplane(words, folder.path)).toMatchObject({ code: 130, stdout: '' });
    expect(folder.names).toEqual(['pressing.mjs']);
  });

  it('leaves no listener behind', async () => {
    const before = process.listenerCount('SIGINT');
    await backplane(['run', 'null-rpc', '--calls', '1']);
    expect(process.listenerCount('SIGINT')).toBe(before);
  });
});
