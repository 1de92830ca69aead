/** `backplane demo`: the main job in a few seconds, and what to try next. */
import { experiment, parseSetting } from '@backplane/lab';
import type { Command } from 'commander';
import pc from 'picocolors';
import { exit } from '../exit.ts';
import { measuredRun } from '../measured-run.ts';
import { formatTable, out } from '../output.ts';
import type { Session } from '../session.ts';

interface AndrewResult {
  readonly phases: readonly { readonly name: string; readonly seconds: number }[];
  readonly seconds: number;
}

/** What is swapped: the base, and one board for another. */
const variants = [
  { title: "Sprite's file cache", set: [] },
  { title: 'no client cache', set: ['fileCache=none'] },
] as const;

export function addDemo(program: Command, session: Session): void {
  program
    .command('demo')
    .description('boot a cluster, run a real workload on it, swap a board and see what it was worth')
    .action(async () => {
      out(
        `${pc.bold('Backplane')}: a Sun-3/180 file server and a diskless Sun-3/75 on one 10 Mb/s Ethernet boot Sprite kernels`,
      );
      out(
        'composed from packages, and the workstation runs the Andrew benchmark through the network file system.\n',
      );
      const runs = [];
      for (const v of variants)
        runs.push(
          await measuredRun(
            experiment('andrew'),
            { settings: v.set.map((s) => parseSetting(s)) },
            session.interrupted,
          ),
        );
      const results = runs.map((r) => r.result as AndrewResult);
      const [first] = results;
      out(
        formatTable({
          title: 'Andrew benchmark, seconds on the machines of 1988',
          head: ['phase', ...variants.map((v) => v.title)],
          rows: [
            ...(first?.phases ?? []).map((p, i) => [
              p.name,
              ...results.map((r) => r.phases[i]?.seconds.toFixed(1) ?? ''),
            ]),
            ['total', ...results.map((r) => r.seconds.toFixed(1))],
          ],
        }),
      );
      const virtual = runs.reduce((sum, r) => sum + r.virtualSeconds, 0);
      const wall = runs.reduce((sum, r) => sum + r.wallSeconds, 0);
      out(
        pc.dim(
          `\n${virtual.toFixed(0)} virtual seconds in ${wall.toFixed(1)} s · trace ${runs[0]?.traceHash.slice(0, 12)}, the same on every machine`,
        ),
      );
      out('\nNext:');
      out('  npx backplane run andrew --tree ./packages         your own files through the same file system');
      out('  npx backplane published                            the model beside the published figures');
      out('  npx backplane compare andrew --vary fileCache=sprite,none --seeds 3');
      out('  npx backplane components                           what can be swapped');
      session.finish(exit.good);
    });
}
