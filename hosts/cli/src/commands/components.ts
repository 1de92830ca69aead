/** `backplane components [SLOT]`: what is installed. */
import { type CatalogueEntry, catalogue } from '@backplane/lab';
import { nearest, slotFacts } from '@backplane/slots';
import type { Command } from 'commander';
import { type ExitCode, exit } from '../exit.ts';
import { formatTable, json, out } from '../output.ts';
import { usage } from '../settings.ts';

export function addComponents(program: Command, finish: (code: ExitCode) => void): void {
  program
    .command('components')
    .argument('[slot]', 'only those of this slot')
    .description('what is installed: slot, name, version, contract, options with defaults, requirements')
    .option('--json', 'one JSON object')
    .action((slot: string | undefined, o: { readonly json?: boolean }) => {
      const slots = slotFacts.map((f) => f.slot);
      if (slot !== undefined && !slots.includes(slot))
        throw usage(
          `there is no slot "${slot}".`,
          `backplane components ${nearest(slot, slots) ?? slots[0]}`,
        );
      const entries = catalogue.filter((e) => slot === undefined || e.slot === slot);
      if (o.json === true) json({ components: entries.map(facts) });
      else {
        out(
          formatTable({
            title: slot === undefined ? 'Installed boards' : `Boards for the slot "${slot}"`,
            head: ['slot', 'name', 'package', 'version', 'contract', 'requires', 'options'],
            rows: entries.map(facts).map((f) => [
              f.slot,
              f.short,
              f.name,
              f.version,
              String(f.contract),
              f.requires.join(' '),
              Object.entries(f.options)
                .map(([k, v]) => `${k}=${JSON.stringify(v)}`)
                .join(' '),
            ]),
            note: 'Swap one with --set SLOT=NAME:option=value',
          }),
        );
      }
      finish(exit.good);
    });
}

function facts(e: CatalogueEntry): {
  readonly slot: string;
  readonly short: string;
  readonly name: string;
  readonly version: string;
  readonly contract: number;
  readonly requires: readonly string[];
  readonly options: Readonly<Record<string, unknown>>;
} {
  // A board with its defaults shows what they are.
  const { options } = e.make();
  const { version, contract, requires } = e.component;
  return { slot: e.slot, short: e.short, name: e.name, version, contract, requires, options };
}
