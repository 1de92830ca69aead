/** The options that run, compare, verify and published share, as commander declares them and as the lab takes them. */
import {
  type Experiment,
  type KernelFor,
  kernelNames,
  parseDuration,
  parseFault,
  type RunSettings,
  readTree,
  type Setting,
} from '@backplane/lab';
import { BackplaneError, nearest } from '@backplane/slots';
import type { Command } from 'commander';
import type { Outside } from './outside/outside.ts';

export interface GivenOptions {
  readonly seed: string;
  readonly machines?: string;
  readonly servers?: string;
  readonly machine?: readonly string[];
  readonly kernel?: readonly string[];
  readonly set?: readonly string[];
  readonly tree?: string;
  readonly preserve?: boolean;
  readonly until?: string;
  readonly fault?: readonly string[];
}

const repeat = (value: string, before: readonly string[] | undefined): readonly string[] => [
  ...(before ?? []),
  value,
];

/** Declares them. What commander does not know is left over, for the experiment. */
export function addRunOptions(command: Command): Command {
  return addKernelOptions(command)
    .option('--machines <n>', 'clients')
    .option('--servers <n>', 'servers')
    .option('--machine <type>', '[ROLE=]TYPE, for example server=sun3-180; repeatable', repeat)
    .option('--tree <dir>', 'host directory imported into the file system before virtual time starts')
    .option('--preserve', 'keep the owners and modes of the tree, and the order of its times')
    .option('--until <time>', 'stop at this virtual time, such as 90s');
}

/** Those of them that leave machines and workload as they are. */
export function addKernelOptions(command: Command): Command {
  return command
    .option(
      '--kernel <kernel>',
      `[ROLE=]KERNEL: ${kernelNames.join(', ')}, or a kernel file; repeatable`,
      repeat,
    )
    .option(
      '--set <setting>',
      '[ROLE.]SLOT=BOARD[:option=value,...], lists as a+b; the board by short name, package or file. One that is made of others of its slot, such as disk=nvram or disk=raid:level=5,of=disk.1+disk.2+disk.3, stands before what it finds there; repeatable',
      repeat,
    )
    .option('--seed <n>', 'of everything left to chance', '1')
    .option(
      '--fault <spec>',
      'for example loss=2%, crash=HOST@30s, disk=HOST/disk.2:error@40s; repeatable',
      repeat,
    );
}

/** @throws BackplaneError when one of them is wrong */
export async function settingsOf(
  o: GivenOptions,
  parameters: Readonly<Record<string, string>>,
  outside: Outside,
): Promise<RunSettings> {
  if (o.preserve === true && o.tree === undefined)
    throw usage('--preserve keeps what a tree has, and there is none.', '--tree ./src --preserve');
  const settings: Setting[] = [];
  for (const s of o.set ?? []) settings.push(await outside.setting(s));
  const kernels: Record<string, KernelFor> = {};
  for (const [role, word] of (o.kernel ?? []).map(byRole)) kernels[role] = await outside.kernel(word);
  return {
    seed: whole('--seed', o.seed, 0, Number.MAX_SAFE_INTEGER),
    ...(o.machines !== undefined && { clients: whole('--machines', o.machines, 1, 190) }),
    ...(o.servers !== undefined && { servers: whole('--servers', o.servers, 0, 50) }),
    machineTypes: Object.fromEntries((o.machine ?? []).map(byRole)),
    kernels,
    settings,
    faults: (o.fault ?? []).map((f) => parseFault(f)),
    ...(o.tree !== undefined && { tree: readTree(o.tree, { preserve: o.preserve === true }) }),
    parameters,
    ...(o.until !== undefined && { untilNs: duration('--until', o.until) }),
    installed: outside.known,
  };
}

/** `ROLE=WHAT`, or `WHAT` for every role, which is ''. */
export function byRole(text: string): readonly [string, string] {
  const match = /^(\w+)=(.*)$/.exec(text);
  return match === null ? ['', text] : [match[1] ?? '', match[2] ?? ''];
}

export function whole(option: string, text: string, min: number, max: number): number {
  const n = Number(text);
  if (!Number.isInteger(n) || n < min || n > max)
    throw usage(`${option} takes a whole number from ${min} to ${max}, not "${text}".`, `${option} ${min}`);
  return n;
}

function duration(option: string, text: string): number {
  const ns = parseDuration(text);
  if (ns === undefined) throw usage(`${option} takes a duration, not "${text}".`, `${option} 90s`);
  return ns;
}

export const usage = (text: string, hint: string): BackplaneError =>
  new BackplaneError('USAGE', {}, text, hint);

/** `--name value` pairs that commander left over, as parameters of the experiment. */
export function leftOver(
  experiment: Experiment,
  words: readonly string[],
  command: Command,
): Readonly<Record<string, string>> {
  const known = [
    ...command.options.map((o) => o.long ?? ''),
    ...experiment.parameterTexts.map((t) => `--${t.name}`),
  ];
  const parameters: Record<string, string> = {};
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? '';
    const [name = '', inline] = word.split('=');
    if (!known.includes(name)) {
      const near = nearest(name, known);
      throw usage(
        `${experiment.name} has no option ${name}.`,
        near === undefined ? 'backplane run --help' : `Did you mean "${near}"?`,
      );
    }
    const value = inline ?? words[++i];
    if (value === undefined) throw usage(`${name} needs a value.`, 'backplane run --help');
    parameters[name.slice(2)] = value;
  }
  return parameters;
}
