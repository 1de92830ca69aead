import { Channel, type Task } from '@backplane/engine';
import { spriteClient } from '@backplane/sprite';
import { describe, expect, it } from 'vitest';
import {
  type ComparisonTask,
  compareExperiment,
  defineExperiment,
  type Experiment,
  everywhere,
  experiment,
  kernelNamed,
  parseFault,
  parseSetting,
  planRun,
  type RunRequest,
  readTree,
  runAll,
  runExperiment,
} from '../src/index.ts';

const failure = (
  f: () => unknown,
): { readonly code: string; readonly message: string; readonly hint: string } => {
  try {
    f();
  } catch (e) {
    return e as { readonly code: string; readonly message: string; readonly hint: string };
  }
  throw new Error('it did not fail');
};

const small: ComparisonTask = {
  experiment: experiment('null-rpc'),
  settings: { parameters: { calls: '1' }, seed: 4 },
  variants: [parseSetting('transport=sprite'), parseSetting('transport=sprite:hostMonitor=false')],
  seeds: 3,
};

describe('a comparison', () => {
  it('asks for every variant with one seed before the next seed, then for what shows where they part', () => {
    const asked: (readonly [number | undefined, string | undefined])[] = [];
    const runs = compareExperiment(small);
    let step = runs.next();
    while (step.done !== true) {
      const { experiment, settings }: RunRequest = step.value;
      asked.push([settings.seed, settings.settings?.at(-1)?.text]);
      step = runs.next(runExperiment(experiment, settings));
    }
    const [base, other] = ['transport=sprite', 'transport=sprite:hostMonitor=false'];
    expect(asked.slice(0, 6)).toEqual(
      [4, 5, 6].flatMap((seed) => [
        [seed, base],
        [seed, other],
      ]),
    );
    expect(asked.slice(6)).toEqual([
      [4, base],
      [4, other],
    ]);
    expect(step.value?.seeds).toBe(3);
    expect(step.value?.variants[0]?.firstDivergence).not.toBeNull();
  });

  it('that is stopped has the seeds that were finished, or is none', () => {
    for (const [runsBefore, seeds] of [
      [5, 2],
      [2, 1],
      [1, undefined],
    ] as const) {
      let runs = 0;
      const c = runAll(
        compareExperiment({
          ...small,
          prepare: (s) => {
            runs++;
            return s;
          },
          stopped: () => runs >= runsBefore,
        }),
      );
      expect(c?.seeds).toBe(seeds);
    }
  });

  it('does not take an error for a stop', () => {
    const prepare = (): never => {
      throw new Error('no luck');
    };
    expect(() => runAll(compareExperiment({ ...small, prepare }))).toThrow('no luck');
  });
});

describe('a kernel for every machine', () => {
  it('serves no domain on a client, and each that the experiment wants on a server', () => {
    const kernel = everywhere(spriteClient());
    const boards = (role: string, prefixes: readonly string[]): readonly string[] =>
      [...kernel({ machine: 'm', role, prefixes }).boards.keys()].filter((i) => i.startsWith('storage'));
    expect(boards('client', [])).toEqual([]);
    expect(boards('server', ['/', '/src'])).toEqual(['storage:/', 'storage:/src']);
    const own = kernelNamed('sprite')({ machine: 'm', role: 'server', prefixes: ['/own'] });
    expect([...everywhere(own)({ machine: 'm', role: 'server', prefixes: ['/'] }).boards.keys()]).toContain(
      'storage:/own',
    );
  });

  it('is looked up by name, with the nearest one', () => {
    expect(failure(() => kernelNamed('spirte')).hint).toBe('Did you mean "sprite"?');
  });
});

describe('the plan of a run', () => {
  it('has the machines that were asked for, by role', () => {
    const { description } = planRun(experiment('sharing'), {
      clients: 2,
      servers: 2,
      machineTypes: { '': 'sparcstation1', server: 'sun3-180' },
      kernels: { client: everywhere(spriteClient()) },
    });
    expect(description.machines.map((m) => [m.name, m.role, m.type.name, m.kernel.name])).toEqual([
      ['allspice', 'server', 'sun3-180', 'sprite-server'],
      ['mint', 'server', 'sun3-180', 'sprite-server'],
      ['mace', 'client', 'sparcstation1', 'sprite'],
      ['thyme', 'client', 'sparcstation1', 'sprite'],
    ]);
  });

  it('refuses what would do nothing, and fewer or more machines than the experiment can use', () => {
    const plan = (name: string, s: Parameters<typeof planRun>[1]) =>
      failure(() => planRun(experiment(name), s));
    expect(plan('rpc8k', { settings: [parseSetting('storage=memory')] }).message).toMatch(
      /no machine has a board/,
    );
    expect(plan('rpc8k', { clients: 1 }).message).toBe('--machines 1: rpc8k needs at least 2 clients.');
    expect(plan('rpc8k', { servers: 2 }).message).toBe('--servers 2: rpc8k takes at most 0 servers.');
    expect(plan('andrew', { servers: 0 }).hint).toBe('Leave it out, or give --servers 1');
    expect(plan('andrew', { kernels: { sever: kernelNamed('sprite') } }).hint).toBe('Did you mean "server"?');
    expect(plan('andrew', { settings: [parseSetting('sever.transport=sprite')] }).hint).toBe(
      'Did you mean "server"?',
    );
  });

  it('puts a board into an empty slot of many only on a role that was named', () => {
    const disks = (set: string): readonly (readonly [string, boolean])[] =>
      planRun(experiment('null-rpc'), { settings: [parseSetting(set)] }).description.machines.map((m) => [
        m.role,
        m.kernel.boards.has('disk.0'),
      ]);
    expect(disks('client.disk=drive').find(([role]) => role === 'client')).toEqual(['client', true]);
    expect(disks('disk=drive').find(([role]) => role === 'client')).toEqual(['client', false]);
  });
});

describe('disks that are made of others', () => {
  const array = parseSetting('disk=raid:level=5,of=disk.1+disk.2+disk.3');
  const files = { files: '20' };
  const ran = (...faults: string[]) =>
    runExperiment(experiment('small-files'), {
      parameters: files,
      settings: [array],
      faults: faults.map((f) => parseFault(f)),
    });

  it('are the one disk of their storage, and hold a tree from the start', () => {
    const { kernels, metrics } = runExperiment(experiment('andrew'), {
      settings: [array],
      tree: readTree(new URL('../src/operations', import.meta.url).pathname),
    });
    expect(kernels['sprite-server']?.['disk.0']?.name).toBe('@backplane/hw-raid');
    expect(metrics['raid.server.losses']).toBe(0);
  });

  it('bear the failure of a part; a fault strikes what it names', () => {
    expect(ran().metrics['raid.server.losses']).toBe(0);
    expect(ran('disk=allspice/disk.2:error@100ms').metrics['raid.server.losses']).toBe(1);
    expect(ran('disk=allspice:error@100ms').metrics['raid.server.losses']).toBe(0);
  });

  it('are named rightly by a fault, or it says what there is', () => {
    const plan = (fault: string) =>
      failure(() => planRun(experiment('small-files'), { settings: [array], faults: [parseFault(fault)] }));
    expect(plan('disk=allspice/disk.9:error@1s')).toMatchObject({
      code: 'WRONG_FAULT',
      message: expect.stringMatching(/allspice has no "disk\.9"/),
    });
    expect(
      failure(() => planRun(experiment('null-rpc'), { faults: [parseFault('disk=mace:error@1s')] })).message,
    ).toMatch(/mace has no disk/);
  });
});

describe('programs that do not get to their end', () => {
  const andrew = (...faults: string[]) =>
    failure(() =>
      runExperiment(experiment('andrew'), {
        settings: [parseSetting('storage=lfs:metadata=delayed')],
        tree: readTree(new URL('../src/operations', import.meta.url).pathname),
        faults: faults.map((f) => parseFault(f)),
      }),
    ).message;

  it('say what they were told, where and when', () => {
    expect(andrew('crash=allspice@2s', 'reboot=allspice@4s')).toMatch(/andrew: on mace after \d+ s: \w+/);
  });

  it('or that their machine is gone', () => {
    expect(andrew('crash=mace@2s')).toMatch('a machine crashed that ran one of its programs');
  });
});

describe('settings of boards', () => {
  it('say for which slot a board is', () => {
    const wrong = failure(() => parseSetting('transport=lru'));
    expect([wrong.message, wrong.hint]).toEqual([
      '--set transport=lru: lru is a board for the slot "blockCache", not for "transport".',
      '--set blockCache=lru',
    ]);
  });
});

describe('a run that waits for ever', () => {
  it('is found out, also when it is driven in slices', () => {
    const waits: Experiment<null, null> = defineExperiment<null, null>({
      name: 'waits',
      description: 'waits for what nobody sends',
      parameterTexts: [],
      parameters: () => null,
      shape: () => ({
        clients: 1,
        servers: 0,
        machineTypes: { client: 'zero-cost', server: 'zero-cost' },
        prefixes: [],
        without: ['fileCache'],
      }),
      *run(): Task<null> {
        return yield* new Channel<null>().receive();
      },
      measures: () => ({}),
      table: () => ({ title: '', head: [], rows: [] }),
    });
    const settings = { settings: [parseSetting('transport=sprite:hostMonitor=false')] };
    const found = failure(() => runExperiment(waits, settings));
    expect(found.code).toBe('DID_NOT_END');
    expect(found.message).toMatch(
      /^waits waits for ever: after [\d.]+ virtual seconds nothing is left to happen\.$/,
    );
  });
});
