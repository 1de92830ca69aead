/** `backplane graph`: a composed kernel as a tree, or as DOT. */
import { compose, type Fitted, needs } from '@backplane/chassis';
import { experiment, planRun } from '@backplane/lab';
import type { Command } from 'commander';
import { exit } from '../exit.ts';
import { out } from '../output.ts';
import type { Session } from '../session.ts';
import { byRole, usage } from '../settings.ts';

export function addGraph(program: Command, session: Session): void {
  program
    .command('graph')
    .description('the composed kernel as a tree of boards, or as DOT')
    .option('--kernel <kernel>', '[ROLE=]NAME or FILE: of a server unless the role is client', 'sprite')
    .option('--dot', 'for Graphviz')
    .action(async (o: { readonly kernel: string; readonly dot?: boolean }) => {
      const [given, word] = byRole(o.kernel);
      const role = given === '' ? 'server' : given;
      const kernels = { '': await session.outside.kernel(word) };
      const { description } = planRun(experiment('null-rpc'), { kernels });
      if (!description.machines.some((m) => m.role === role))
        throw usage(`--kernel ${o.kernel}: no machine has the role "${role}".`, '--kernel client=sprite');
      const shown = compose(description).machines.find((m) => m.description.role === role);
      const boards = shown?.boards ?? [];
      out(o.dot === true ? dot(shown?.description.kernel.name ?? '', boards) : tree(boards));
      session.finish(exit.good);
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
