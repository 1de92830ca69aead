/** Is what a file exports what it was meant to be? Checked member by member, since nobody has compiled the file. */
import { type Experiment, everywhere, type KernelFor, type Shape } from '@backplane/lab';
import { BackplaneError, type Board, type Component, isBackplaneError, type Kernel } from '@backplane/slots';
import { z } from 'zod';
import { noDefaultExport, unknownMember, wrongExport } from './errors.ts';
import type { Exports } from './modules.ts';

export type OutsideModule =
  | { readonly kind: 'experiment'; readonly experiment: Experiment }
  | { readonly kind: 'kernel'; readonly kernel: KernelFor }
  | { readonly kind: 'component'; readonly component: Component };

const wanted = {
  experiment: 'export default defineExperiment({ name: ... }), with defineExperiment from @backplane/lab',
  kernel:
    "export default defineKernel('name', { ... }), or a function that returns one for { role, prefixes }",
  component:
    'export const board = defineComponent({ name: ... }), with defineComponent from @backplane/slots',
  any: 'export default defineExperiment({ ... }), defineKernel(...) or defineComponent({ ... })',
} as const;

const isObject = (x: unknown): x is Readonly<Record<string, unknown>> => typeof x === 'object' && x !== null;

const isComponent = (x: unknown): x is Component =>
  typeof x === 'function' && 'componentName' in x && 'slot' in x && 'requires' in x;

const isKernel = (x: unknown): x is Kernel => isObject(x) && x['boards'] instanceof Map && 'with' in x;

const isBoard = (x: unknown): x is Board => isObject(x) && 'slot' in x && 'create' in x;

/** What kind of module it is, by its default export; a file with one component may export it by name. */
export function recognize(file: string, exports: Exports): OutsideModule {
  const value = exports['default'];
  if (value === undefined) {
    const components = Object.values(exports).filter(isComponent);
    const [component] = components;
    if (component !== undefined && components.length === 1) return { kind: 'component', component };
    throw noDefaultExport(file, Object.keys(exports), wanted.any);
  }
  if (isComponent(value)) return { kind: 'component', component: value };
  if (isKernel(value) || typeof value === 'function')
    return { kind: 'kernel', kernel: kernelOf(file, value) };
  if (isBoard(value))
    throw wrongExport(file, 'it exports one board rather than a component.', wanted.component);
  return { kind: 'experiment', experiment: experimentOf(file, value) };
}

export function asExperiment(file: string, exports: Exports): Experiment {
  const found = recognize(file, exports);
  if (found.kind === 'experiment') return found.experiment;
  throw wrongExport(
    file,
    `it is a ${found.kind}, not an experiment.`,
    found.kind === 'kernel' ? `backplane run null-rpc --kernel ${file}` : `--set SLOT=${file}`,
  );
}

export function asKernel(file: string, exports: Exports): KernelFor {
  const found = recognize(file, exports);
  if (found.kind === 'kernel') return found.kernel;
  throw wrongExport(
    file,
    `it is ${found.kind === 'experiment' ? 'an' : 'a'} ${found.kind}, not a kernel.`,
    found.kind === 'experiment' ? `backplane run ${file}` : `--set SLOT=${file}`,
  );
}

/** The component of a module: its default export, or the only one, or the only one of that slot. */
export function asComponent(file: string, exports: Exports, slot: string): Component {
  const all = [...new Set([exports['default'], ...Object.values(exports)])].filter(isComponent);
  const fitting = all.filter((c) => c.slot === slot);
  const [only] = fitting.length > 0 ? fitting : all;
  if (isComponent(exports['default'])) return exports['default'];
  if (only === undefined) throw wrongExport(file, 'it exports no component.', wanted.component);
  if (fitting.length > 1)
    throw wrongExport(
      file,
      `it exports several components for the slot "${slot}".`,
      'Make the one that is meant its default export.',
    );
  return only;
}

type Kind = 'text' | 'function' | 'list';
const members: { readonly [M in keyof Required<Experiment>]: readonly [Kind, 'needed' | 'optional'] } = {
  name: ['text', 'needed'],
  description: ['text', 'needed'],
  shape: ['function', 'needed'],
  parameters: ['function', 'needed'],
  parameterTexts: ['list', 'needed'],
  kernel: ['function', 'optional'],
  watched: ['function', 'optional'],
  uses: ['list', 'optional'],
  treeAt: ['text', 'optional'],
  defaultTree: ['function', 'optional'],
  prepare: ['function', 'optional'],
  run: ['function', 'needed'],
  passed: ['function', 'optional'],
  measures: ['function', 'needed'],
  table: ['function', 'needed'],
  plots: ['function', 'optional'],
};

const isOfKind: { readonly [K in Kind]: (x: unknown) => boolean } = {
  text: (x) => typeof x === 'string' && x !== '',
  function: (x) => typeof x === 'function',
  list: (x) => Array.isArray(x),
};

function experimentOf(file: string, value: unknown): Experiment {
  if (!isObject(value))
    throw wrongExport(file, `its default export is a ${typeof value}, no experiment.`, wanted.experiment);
  const known = Object.keys(members);
  for (const name of Object.keys(value)) if (!known.includes(name)) throw unknownMember(file, name, known);
  for (const [name, [kind, needed]] of Object.entries(members)) {
    const member = value[name];
    if (member === undefined && needed === 'optional') continue;
    if (!isOfKind[kind](member))
      throw wrongExport(
        file,
        member === undefined
          ? `the experiment has no "${name}".`
          : `"${name}" of the experiment is no ${kind}.`,
        wanted.experiment,
      );
  }
  // Every member has been looked at.
  const e = value as unknown as Experiment;
  return {
    ...e,
    parameters: (given) => told(file, () => e.parameters(given)),
    shape: (parameters) =>
      shapeOf(
        file,
        told(file, () => e.shape(parameters)),
      ),
  };
}

const shapeSchema = z.strictObject({
  clients: z.number().int().positive(),
  servers: z.number().int().nonnegative(),
  clientsMin: z.number().int().positive().optional(),
  serversMax: z.number().int().nonnegative().optional(),
  machineTypes: z.object({ client: z.string(), server: z.string() }),
  prefixes: z.array(z.array(z.string())),
  without: z.array(z.string()).optional(),
});

function shapeOf(file: string, shape: Shape): Shape {
  const parsed = shapeSchema.safeParse(shape);
  if (parsed.success) return shape;
  const [issue] = parsed.error.issues;
  throw wrongExport(
    file,
    `the shape of the experiment: ${(issue?.path ?? []).join('.')}: ${issue?.message ?? 'it is malformed'}`,
    "shape: () => ({ clients: 1, servers: 1, machineTypes: { client: 'sun3-75', server: 'sun3-180' }, prefixes: [['/']] })",
  );
}

function kernelOf(file: string, value: unknown): KernelFor {
  if (isKernel(value)) return everywhere(value);
  const make = value as KernelFor;
  return (place) => {
    const kernel = told(file, () => make(place) as unknown);
    if (!isKernel(kernel))
      throw wrongExport(
        file,
        `its function returns no kernel for a ${place.role}.`,
        "return defineKernel('name', { ... }), or a preset with changes: spriteClient().with({ ... })",
      );
    return kernel;
  };
}

/** Says in which file a wrong option stands. */
function told<T>(file: string, make: () => T): T {
  try {
    return make();
  } catch (e) {
    if (isBackplaneError(e)) throw new BackplaneError(e.code, e.data, `${file}: ${e.message}`, e.hint);
    throw wrongExport(file, `a function of it failed: ${String(e)}`, 'Mend the function.');
  }
}
