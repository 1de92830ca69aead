/** Boards, kernels and experiments from files and packages, each by the word that the user gave for it. */
import {
  type CatalogueEntry,
  catalogue,
  type Experiment,
  experiment,
  experiments,
  type KernelFor,
  kernelNamed,
  parseSetting,
  type Setting,
  splitSetting,
} from '@backplane/lab';
import { type Board, type Component, isBackplaneError } from '@backplane/slots';
import { noSuchPackage, wrongManifest } from './errors.ts';
import { type Manifest, readManifest } from './manifest.ts';
import { isFileName, OutsideModules } from './modules.ts';
import { componentPackages, findPackage } from './packages.ts';
import { asComponent, asExperiment, asKernel, type OutsideModule, recognize } from './shapes.ts';

export class Outside {
  readonly #folder: string;
  readonly #modules: OutsideModules;
  /** Boards that were loaded, by slot and word. */
  readonly #loaded = new Map<string, CatalogueEntry>();

  /** @param folder where files and packages are looked up from */
  constructor(folder: string) {
    this.#folder = folder;
    this.#modules = new OutsideModules(folder);
  }

  /** What is installed and what has been loaded so far. */
  get known(): readonly CatalogueEntry[] {
    return [...catalogue, ...this.#loaded.values()];
  }

  /** A built-in experiment by name, or one from a file. */
  async experiment(word: string): Promise<Experiment> {
    if (experiments.some((e) => e.name === word) || !isFileName(word)) return experiment(word);
    return asExperiment(word, await this.#modules.load(word));
  }

  /** A built-in kernel by name, or one from a file. */
  async kernel(word: string): Promise<KernelFor> {
    return isFileName(word) ? asKernel(word, await this.#modules.load(word)) : kernelNamed(word);
  }

  /** `[ROLE.]SLOT=BOARD[:options]`, where the board may be a package or a file. */
  async setting(text: string): Promise<Setting> {
    const { slot, board } = splitSetting(text);
    const inCatalogue =
      catalogue.some((e) => e.slot === slot && e.short === board) || catalogue.some((e) => e.name === board);
    if (!inCatalogue) await this.#load(`--set ${text}`, slot, board);
    return parseSetting(text, this.known);
  }

  /** Whatever a file is. */
  async module(file: string): Promise<OutsideModule> {
    return recognize(file, await this.#modules.load(file));
  }

  /** Component packages in reach that are not part of the project, and those whose manifest is wrong. */
  installed(): { readonly manifests: readonly Manifest[]; readonly refused: readonly Error[] } {
    const manifests: Manifest[] = [];
    const refused: Error[] = [];
    for (const [name, folder] of componentPackages(this.#folder)) {
      if (catalogue.some((e) => e.name === name)) continue;
      try {
        manifests.push(readManifest(folder));
      } catch (e) {
        if (!isBackplaneError(e)) throw e;
        refused.push(e);
      }
    }
    return { manifests, refused };
  }

  /** Loads a board that is not in the catalogue, if the word leads to one; else the catalogue says what is near. */
  async #load(place: string, slot: string, board: string): Promise<void> {
    const key = `${slot}=${board}`;
    if (this.#loaded.has(key)) return;
    if (isFileName(board)) {
      const component = asComponent(board, await this.#modules.load(board), slot);
      this.#loaded.set(key, entry(board, component.componentName, component));
      return;
    }
    const manifest = this.#manifestOf(place, slot, board);
    if (manifest === undefined) return;
    const file = await this.#modules.entryOf(manifest.name, manifest.file);
    const component = asComponent(file, await this.#modules.load(file), manifest.slot);
    checkAgainst(manifest, component);
    this.#loaded.set(key, entry(manifest.short, manifest.name, component));
  }

  /** By the package's name, or by the variant in its manifest. */
  #manifestOf(place: string, slot: string, board: string): Manifest | undefined {
    const folder = findPackage(this.#folder, board);
    if (folder !== undefined) return readManifest(folder);
    const { manifests } = this.installed();
    const found = manifests.find((m) => m.slot === slot && m.short === board);
    // A word that could only be a package's name.
    if (found === undefined && (board.startsWith('@') || board.startsWith('backplane-')))
      throw noSuchPackage(place, slot, board, this.#folder, [
        ...catalogue.filter((e) => e.slot === slot).map((e) => e.name),
        ...manifests.filter((m) => m.slot === slot).map((m) => m.name),
      ]);
    return found;
  }
}

/** The component's own schema checks the options when a board is made. */
const entry = (short: string, name: string, component: Component): CatalogueEntry => ({
  short,
  name,
  slot: component.slot,
  component,
  make: component as unknown as (options?: Readonly<Record<string, unknown>>) => Board,
});

/** What the code says must be what the manifest says: tools that only read manifests rely on it. */
function checkAgainst(m: Manifest, c: Component): void {
  const pairs: readonly (readonly [string, string, string])[] = [
    ['name', m.name, c.componentName],
    ['backplane.provides', m.slot, c.slot],
    ['backplane.contract', String(m.contract), String(c.contract)],
    ['backplane.requires', [...m.requires].sort().join(', '), [...c.requires].sort().join(', ')],
  ];
  for (const [path, said, is] of pairs)
    if (said !== is)
      throw wrongManifest(
        m.file,
        path,
        `it says "${said}", the code says "${is}".`,
        'Let both say the same.',
      );
}
