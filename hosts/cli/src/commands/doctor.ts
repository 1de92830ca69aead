/** `backplane doctor`: can this machine run it, and is what is installed of one piece? */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { catalogue } from '@backplane/lab';
import { slotFacts } from '@backplane/slots';
import type { Command } from 'commander';
import semver from 'semver';
import { exit } from '../exit.ts';
import { formatTable, json, out } from '../output.ts';
import type { Session } from '../session.ts';

interface Finding {
  readonly what: string;
  readonly ok: boolean;
  readonly found: string;
  readonly remedy: string;
}

const nodeRange = '>=20.19.0';

export function addDoctor(program: Command, session: Session): void {
  program
    .command('doctor')
    .description('Node version, duplicate packages, contract windows, packages from outside')
    .option('--json', 'one JSON object')
    .action((o: { readonly json?: boolean }) => {
      const findings = [node(), ...duplicates(process.cwd()), ...contracts(), outside(session)];
      if (o.json === true) json({ findings });
      else
        out(
          formatTable({
            title: 'Doctor',
            head: ['', 'what', 'found', 'remedy'],
            rows: findings.map((f) => [f.ok ? 'ok' : 'NO', f.what, f.found, f.ok ? '' : f.remedy]),
          }),
        );
      session.finish(findings.every((f) => f.ok) ? exit.good : exit.failed);
    });
}

function node(): Finding {
  const ok = semver.satisfies(process.versions.node, nodeRange);
  return { what: `Node ${nodeRange}`, ok, found: process.versions.node, remedy: 'Install a current Node.' };
}

/** Two copies of a ground package in reach of this folder would each have registers and errors of their own. */
function duplicates(from: string): readonly Finding[] {
  return ['@backplane/engine', '@backplane/slots'].map((name) => {
    const versions = copies(from, name);
    return {
      what: `one copy of ${name}`,
      ok: versions.length <= 1,
      found: versions.join(', ') || 'none here',
      remedy: 'npm dedupe; boards name it as a peer dependency',
    };
  });
}

function copies(from: string, name: string): readonly string[] {
  const found = new Set<string>();
  const look = (modules: string): void => {
    const manifest = join(modules, name, 'package.json');
    if (existsSync(manifest))
      found.add((JSON.parse(readFileSync(manifest, 'utf8')) as { readonly version: string }).version);
  };
  for (let folder = from; ; folder = dirname(folder)) {
    const modules = join(folder, 'node_modules');
    look(modules);
    if (existsSync(modules)) {
      for (const entry of readdirSync(modules)) look(join(modules, entry, 'node_modules'));
    }
    if (dirname(folder) === folder) return [...found].sort();
  }
}

function contracts(): readonly Finding[] {
  const windows = new Map(slotFacts.map((f) => [f.slot, f.contract]));
  const outside = catalogue.filter((e) => {
    const window = windows.get(e.slot);
    return (
      window !== undefined && (e.component.contract < window.floor || e.component.contract > window.current)
    );
  });
  return [
    {
      what: 'contracts of installed boards',
      ok: outside.length === 0,
      found:
        outside.length === 0
          ? `${catalogue.length} boards in their windows`
          : outside.map((e) => e.name).join(', '),
      remedy: 'Update these packages.',
    },
  ];
}

/** Component packages in reach of this folder whose manifests are wrong. */
function outside(session: Session): Finding {
  const { manifests, refused } = session.outside.installed();
  return {
    what: 'component packages from outside',
    ok: refused.length === 0,
    found: refused.length === 0 ? `${manifests.length} found` : refused.map((e) => e.message).join('; '),
    remedy: 'Mend their manifests, or update them.',
  };
}
