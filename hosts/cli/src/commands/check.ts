/** `backplane check FILE`: is an experiment, kernel or component file sound, and would it run? Nothing is run, nothing written. */
import { type Experiment, experiment, type KernelFor, planRun, type RunSettings } from '@backplane/lab';
import { type Component, slotFacts } from '@backplane/slots';
import type { Command } from 'commander';
import { exit } from '../exit.ts';
import { json, out } from '../output.ts';
import { wrongExport } from '../outside/errors.ts';
import type { Session } from '../session.ts';
import { addRunOptions, type GivenOptions, leftOver, settingsOf } from '../settings.ts';

interface Finding {
  readonly file: string;
  readonly kind: 'experiment' | 'kernel' | 'component';
  readonly name: string;
  readonly [more: string]: unknown;
}

export function addCheck(program: Command, session: Session): void {
  const command = addRunOptions(
    program
      .command('check')
      .argument('<file>', 'an experiment, kernel or component file')
      .description('validate a file, with the options of a run, without running it'),
  )
    .option('--json', 'one JSON object')
    .allowUnknownOption()
    .allowExcessArguments();
  command.action(async (file: string, o: GivenOptions & { readonly json?: boolean }) => {
    const found = await session.outside.module(file);
    const e = found.kind === 'experiment' ? found.experiment : experiment('null-rpc');
    const settings = await settingsOf(o, leftOver(e, command.args.slice(1), command), session.outside);
    const finding =
      found.kind === 'experiment'
        ? checkExperiment(file, found.experiment, settings)
        : found.kind === 'kernel'
          ? checkKernel(file, found.kernel, settings)
          : checkComponent(file, found.component);
    if (o.json === true) json(finding);
    else print(finding);
    session.finish(exit.good);
  });
}

function checkExperiment(file: string, e: Experiment, settings: RunSettings): Finding {
  const { description } = planRun(e, settings);
  return {
    file,
    kind: 'experiment',
    name: e.name,
    machines: description.machines.map((m) => `${m.name} (${m.role}, ${m.type.name})`),
    options: e.parameterTexts.map((p) => `--${p.name} ${p.value}`),
  };
}

/** A kernel is composed for a server and a client of it. */
function checkKernel(file: string, kernel: KernelFor, settings: RunSettings): Finding {
  const kernels = { ...settings.kernels, '': kernel };
  const { description } = planRun(experiment('null-rpc'), { ...settings, kernels });
  const byRole = description.machines.map(
    (m) => [m.role, [...m.kernel.boards].map(([instance, b]) => `${instance}=${b.name}`)] as const,
  );
  return {
    file,
    kind: 'kernel',
    name: description.machines[0]?.kernel.name ?? '',
    boards: Object.fromEntries(byRole),
  };
}

/** A component is sound when a board with its defaults can be made, for a version of its slot that this host takes. */
function checkComponent(file: string, component: Component): Finding {
  const { componentName: name, slot, contract, requires } = component;
  const { options, facts } = component();
  const window = (slotFacts.find((f) => f.slot === slot) ?? facts)?.contract;
  if (window === undefined)
    throw wrongExport(
      file,
      `${name} fills the slot "${slot}", which nobody declares.`,
      `facts: defineSlot('${slot}', 'boot')`,
    );
  if (contract < window.floor || contract > window.current)
    throw wrongExport(
      file,
      `${name} was written against version ${contract} of the slot "${slot}"; this host takes ${window.floor} to ${window.current}.`,
      `contract: ${window.current}`,
    );
  return { file, kind: 'component', name, slot, contract, requires, options };
}

function print({ file, kind, name, ...more }: Finding): void {
  out(`${file}: ${kind === 'experiment' ? 'an' : 'a'} ${kind}, "${name}", is sound`);
  for (const [key, value] of Object.entries(more)) {
    const nested = typeof value === 'object' && value !== null && !Array.isArray(value);
    const lines = nested ? Object.entries(value) : [[key, value] as const];
    for (const [k, v] of lines)
      out(`  ${nested ? `${key} ${k}` : k}: ${Array.isArray(v) ? v.join(', ') : String(v)}`);
  }
}
