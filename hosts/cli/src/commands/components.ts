/** `backplane components [SLOT]`: what is installed. */
import { type CatalogueEntry, catalogue } from '@backplane/lab';
import { nearest, slotFacts } from '@backplane/slots';
import type { Command } from 'commander';
import { exit } from '../exit.ts';
import { formatTable, json, note, out } from '../output.ts';
import type { Manifest } from '../outside/manifest.ts';
import type { Session } from '../session.ts';
import { usage } from '../settings.ts';

export function addComponents(program: Command, session: Session): void {
  program
    .command('components')
    .argument('[slot]', 'only those of this slot')
    .description('what is installed: slot, name, version, contract, options with defaults, requirements')
    .option('--json', 'one JSON object')
    .action((slot: string | undefined, o: { readonly json?: boolean }) => {
      const { manifests, refused } = session.outside.installed();
      const slots = [...new Set([...slotFacts.map((f) => f.slot), ...manifests.map((m) => m.slot)])];
      if (slot !== undefined && !slots.includes(slot))
        throw usage(
          `there is no slot "${slot}".`,
          `backplane components ${nearest(slot, slots) ?? slots[0]}`,
        );
      const entries = [...catalogue.map(facts), ...manifests.map(outside)].filter(
        (e) => slot === undefined || e.slot === slot,
      );
      for (const e of refused) note(`left out: ${e.message}`);
      if (o.json === true) json({ components: entries });
      else {
        out(
          formatTable({
            title: slot === undefined ? 'Installed boards' : `Boards for the slot "${slot}"`,
            head: ['slot', 'name', 'package', 'version', 'contract', 'requires', 'options'],
            rows: entries.map((f) => [
              f.slot,
              f.short,
              f.name,
              f.version,
              String(f.contract),
              f.requires.join(' '),
              f.options === null
                ? '(not loaded)'
                : Object.entries(f.options)
                    .map(([k, v]) => `${k}=${JSON.stringify(v)}`)
                    .join(' '),
            ]),
            note: 'Swap one with --set SLOT=NAME:option=value',
          }),
        );
      }
      session.finish(exit.good);
    });
}

interface Listed {
  readonly slot: string;
  readonly short: string;
  readonly name: string;
  readonly version: string;
  readonly contract: number;
  readonly requires: readonly string[];
  /** Null for a package from outside: its code is not run for a list. */
  readonly options: Readonly<Record<string, unknown>> | null;
  readonly outside: boolean;
}

const outside = ({ slot, short, name, version, contract, requires }: Manifest): Listed => ({
  slot,
  short,
  name,
  version,
  contract,
  requires,
  options: null,
  outside: true,
});

function facts(e: CatalogueEntry): Listed {
  // A board with its defaults shows what they are.
  const { options } = e.make();
  const { version, contract, requires } = e.component;
  const { slot, short, name } = e;
  return { slot, short, name, version, contract, requires, options, outside: false };
}
