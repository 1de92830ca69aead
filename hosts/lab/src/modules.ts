/**
 * The project's own packages as this host has them, by name. A file from outside that imports them gets these: with
 * copies of its own, its threads and timers would belong to another engine.
 */
import { catalogue } from './catalogue.ts';

const others: readonly string[] = [
  '@backplane/engine',
  '@backplane/slots',
  '@backplane/wire',
  '@backplane/chassis',
  '@backplane/sprite',
  '@backplane/hw-machines',
  '@backplane/workloads',
];

export async function hostModules(): Promise<Readonly<Record<string, unknown>>> {
  const names = [...new Set([...others, ...catalogue.map((e) => e.name)])];
  return Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, (await import(name)) as unknown] as const)),
  );
}
