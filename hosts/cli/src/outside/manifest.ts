/** The manifest of a component package, checked before any of its code runs. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { nearest, slotFacts } from '@backplane/slots';
import semver from 'semver';
import { z } from 'zod';
import { wrongManifest } from './errors.ts';

export const componentKeyword = 'backplane-component';

/** What a package says of its board without running it. */
export interface Manifest {
  /** The package's name. */
  readonly name: string;
  readonly version: string;
  readonly file: string;
  /** What stands behind the slash of `component`: the name that `--set` takes. */
  readonly short: string;
  readonly slot: string;
  readonly requires: readonly string[];
  readonly contract: number;
}

const schema = z.object({
  name: z.string(),
  version: z.string(),
  keywords: z.array(z.string()).optional(),
  peerDependencies: z.record(z.string(), z.string()).optional(),
  backplane: z.strictObject({
    component: z.string().regex(/^[^/]+\/[^/]+$/, 'write it as PREFIX/VARIANT, such as transport/vmtp'),
    provides: z.array(z.string()).length(1, 'a component fills one slot'),
    requires: z.array(z.string().regex(/^\w+(\?|\+\w+)?$/, 'write x, x? or x+capability')),
    contract: z.number().int().positive(),
    capabilities: z.array(z.string()),
    protocols: z.array(z.string()),
  }),
});
const keys = Object.keys(schema.shape.backplane.shape);
const example =
  '"backplane": { "component": "transport/mine", "provides": ["transport"], "requires": ["nic"], "contract": 1, "capabilities": [], "protocols": [] }';

/** @throws BackplaneError WRONG_MANIFEST that names file and path */
export function readManifest(folder: string): Manifest {
  const file = join(folder, 'package.json');
  const parsed = schema.safeParse(parseJson(file));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const path = (issue?.path ?? []).join('.');
    const unknown = issue?.code === 'unrecognized_keys' ? issue.keys[0] : undefined;
    const near = unknown === undefined ? undefined : nearest(unknown, keys);
    throw wrongManifest(
      file,
      path,
      issue?.message ?? 'it is malformed',
      near === undefined ? example : `Did you mean "${near}"?`,
    );
  }
  const { name, version, peerDependencies = {}, backplane } = parsed.data;
  const [slot = ''] = backplane.provides;
  checkSlots(file, slot, backplane.requires);
  checkContract(file, slot, backplane.contract);
  checkPeer(file, peerDependencies['@backplane/slots']);
  const short = backplane.component.slice(backplane.component.indexOf('/') + 1);
  return { name, version, file, short, slot, requires: backplane.requires, contract: backplane.contract };
}

function parseJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as unknown;
  } catch (e) {
    throw wrongManifest(file, '', e instanceof Error ? e.message : String(e), 'Mend the file.');
  }
}

/** A slot that is not known may be the package's own; one that is nearly known is misspelt. */
function checkSlots(file: string, provides: string, requires: readonly string[]): void {
  const known = slotFacts.map((f) => f.slot);
  const check = (path: string, slot: string): void => {
    const near = known.includes(slot) ? undefined : nearest(slot, known);
    if (near !== undefined)
      throw wrongManifest(file, path, `there is no slot "${slot}".`, `Did you mean "${near}"?`);
  };
  check('backplane.provides.0', provides);
  for (const [i, r] of requires.entries()) check(`backplane.requires.${i}`, r.replace(/[?+].*$/, ''));
}

function checkContract(file: string, slot: string, contract: number): void {
  const window = slotFacts.find((f) => f.slot === slot)?.contract;
  if (window === undefined || (contract >= window.floor && contract <= window.current)) return;
  throw wrongManifest(
    file,
    'backplane.contract',
    `it was written against version ${contract} of the slot "${slot}"; this host takes ${window.floor} to ${window.current}.`,
    contract > window.current ? 'npm install backplane@latest' : 'Update the package.',
  );
}

function checkPeer(file: string, range: string | undefined): void {
  const { version } = createRequire(import.meta.url)('@backplane/slots/package.json') as {
    readonly version: string;
  };
  if (range === undefined)
    throw wrongManifest(
      file,
      'peerDependencies',
      'the contracts are no peer of it.',
      `"peerDependencies": { "@backplane/slots": "^${version}" }`,
    );
  if (!semver.satisfies(version, range))
    throw wrongManifest(
      file,
      'peerDependencies.@backplane/slots',
      `it asks for ${range}; this host has ${version}.`,
      'Update the package, or the backplane command.',
    );
}
