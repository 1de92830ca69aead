/** `backplane graph`: a composed kernel as a tree, or as DOT. */
import { compose, type Fitted, needs } from '@backplane/chassis';
import { ethernet } from '@backplane/hw-ethernet';
import { machineType } from '@backplane/lab';
import type { Kernel } from '@backplane/slots';
import { spriteClient, spriteServer } from '@backplane/sprite';
import type { Command } from 'commander';
import { type ExitCode, exit } from '../exit.ts';
import { out } from '../output.ts';
import { usage } from '../settings.ts';

const kernels: Readonly<Record<string, () => Kernel>> = {
  sprite: spriteClient,
  'sprite-server': spriteServer,
};

export function addGraph(program: Command, finish: (code: ExitCode) => void): void {
  program
    .command('graph')
    .description('the composed kernel as a tree of boards, or as DOT')
    .option('--kernel <name>', Object.keys(kernels).join(' or '), 'sprite-server')
    .option('--dot', 'for Graphviz')
    .action((o: { readonly kernel: string; readonly dot?: boolean }) => {
      const kernel = kernels[o.kernel];
      if (kernel === undefined)
        throw usage(
          `there is no kernel "${o.kernel}".`,
          `--kernel ${Object.keys(kernels).join(' or --kernel ')}`,
        );
      const machines = [
        { name: 'server', type: machineType('zero-cost'), role: 'server', kernel: spriteServer() },
        { name: 'shown', type: machineType('zero-cost'), role: 'client', kernel: kernel() },
      ];
      const boards =
        compose({ medium: ethernet(), machines }).machines.find((m) => m.description.name === 'shown')
          ?.boards ?? [];
      out(o.dot === true ? dot(o.kernel, boards) : tree(boards));
      finish(exit.good);
    });
}

/** Each board below those that need it; what was shown before is only named again. */
function tree(boards: readonly Fitted[]): string {
  const byInstance = new Map(boards.map((f) => [f.instance, f]));
  const needed = new Set(boards.flatMap((f) => needs(f)));
  const shown = new Set<string>();
  const lines: string[] = [];
  const show = (instance: string, indent: string): void => {
    const f = byInstance.get(instance);
    if (f === undefined) return;
    const again = shown.has(instance);
    lines.push(`${indent}${instance}  ${f.board.name}@${f.board.version}${again ? ' (above)' : ''}`);
    if (again) return;
    shown.add(instance);
    for (const n of needs(f)) show(n, `${indent}  `);
  };
  for (const f of boards.toReversed()) if (!needed.has(f.instance)) show(f.instance, '');
  return lines.join('\n');
}

function dot(name: string, boards: readonly Fitted[]): string {
  const nodes = boards.map((f) => `  "${f.instance}" [label="${f.instance}\\n${f.board.name}"];`);
  const edges = boards.flatMap((f) => needs(f).map((n) => `  "${f.instance}" -> "${n}";`));
  return [`digraph "${name}" {`, '  rankdir=BT; node [shape=box];', ...nodes, ...edges, '}'].join('\n');
}
