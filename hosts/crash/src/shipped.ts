/** The workloads that come with the package, as operation files. */
import { readdirSync, readFileSync } from 'node:fs';
import { parseOperations } from '@backplane/lab';
import { type CrashWorkload, crashWorkload } from './operation.ts';

const folder: URL = new URL('../workloads/', import.meta.url);

/** Their names, without the ending, in order. */
export function shippedNames(): readonly string[] {
  return readdirSync(folder)
    .filter((f) => f.endsWith('.ops'))
    .map((f) => f.slice(0, -4))
    .sort();
}

export function shippedWorkload(name: string): readonly CrashWorkload[] {
  return readWorkloads(readFileSync(new URL(`${name}.ops`, folder), 'utf8'), `${name}.ops`);
}

/** @throws BackplaneError for what an operation file may not say, or not here */
export function readWorkloads(text: string, file: string): readonly CrashWorkload[] {
  return parseOperations(text, file).map((w) => crashWorkload(w, file));
}
