/** The options that run, compare, verify and published share, as commander declares them and as the lab takes them. */
import {
  type Experiment,
  parseDuration,
  parseFault,
  parseSetting,
  type RunSettings,
  readTree,
} from '@backplane/lab';
import { BackplaneError, nearest } from '@backplane/slots';
import type { Command } from 'commander';

export interface GivenOptions {
  readonly seed: string;
  readonly machines?: string;
  readonly servers?: string;
  readonly machine: readonly string[];
  readonly kernel?: string;
  readonly set: readonly string[];
  readonly tree?: string;
  readonly preserve?: boolean;
  readonly until?: string;
  readonly fault: readonly string[];
}

const repeat = (value: string, before: readonly string[]): readonly string[] => [...before, value];

/** Declares them. What commander does not know is left over, for the experiment. */
export function addRunOptions(command: Command): Command {
  return command
    .option('--kernel <name>', 'the kernel of every machine: sprite')
    .option('--set <setting>', '[ROLE.]SLOT=BOARD[:option=value,...]; repeatable', repeat, [])
    .option('--machines <n>', 'clients')
    .option('--servers <n>', 'servers')
    .option('--machine <type>', '[ROLE=]TYPE, for example server=sun3-180; repeatable', repeat, [])
    .option('--seed <n>', 'of everything left to chance', '1')
    .option('--tree <dir>', 'host directory imported into the file system before virtual time starts')
    .option('--preserve', 'keep owners, modes and times of the tree')
    .option('--until <time>', 'stop at this virtual time, such as 90s')
    .option('--fault <spec>', 'for example loss=2% or crash=HOST@30s; repeatable', repeat, []);
}

/** @throws BackplaneError when one of them is wrong */
export function settingsOf(o: GivenOptions, parameters: Readonly<Record<string, string>>): RunSettings {
  return {
    seed: whole('--seed', o.seed, 0, Number.MAX_SAFE_INTEGER),
    ...(o.machines !== undefined && { clients: whole('--machines', o.machines, 1, 190) }),
    ...(o.servers !== undefined && { servers: whole('--servers', o.servers, 0, 50) }),
    machineTypes: Object.fromEntries(
      o.machine.map((m) =>
        m.includes('=') ? [m.slice(0, m.indexOf('=')), m.slice(m.indexOf('=') + 1)] : ['', m],
      ),
    ),
    ...(o.kernel !== undefined && { kernel: o.kernel }),
    settings: o.set.map((s) => parseSetting(s)),
    faults: o.fault.map((f) => parseFault(f)),
    ...(o.tree !== undefined && { tree: readTree(o.tree, { preserve: o.preserve === true }) }),
    parameters,
    ...(o.until !== undefined && { untilNs: duration('--until', o.until) }),
  };
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
        near === undefined ? `backplane run ${experiment.name} --help` : `${near}`,
      );
    }
    const value = inline ?? words[++i];
    if (value === undefined) throw usage(`${name} needs a value.`, `backplane run ${experiment.name} --help`);
    parameters[name.slice(2)] = value;
  }
  return parameters;
}
