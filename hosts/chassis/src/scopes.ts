/**
 * The container's part: three scopes, one for each lifetime. The root holds what lives as long as the cluster, a child
 * for each machine its hardware, and a child of that one boot's kernel.
 *
 * A container caches a scoped registration in the scope that resolves it, so a disk left as a registration would be
 * made anew at each boot. Machine boards are therefore resolved once and registered again as values. Everything is
 * resolved at boot; afterwards boards hold direct references.
 */
import type { AnySlots, Place } from '@backplane/slots';
import { type AwilixContainer, asFunction, asValue, createContainer, InjectionMode } from 'awilix';
import type { Fitted } from './composition.ts';

type Cradle = Record<string, unknown>;
export type Container = AwilixContainer<Cradle>;

export function clusterScope(medium: AnySlots['medium']): Container {
  const container = createContainer<Cradle>({ injectionMode: InjectionMode.PROXY, strict: true });
  container.register('medium', asValue(medium));
  return container;
}

/** Makes the machine's hardware, in order, and keeps it as values. */
export function machineScope(cluster: Container, hardware: readonly Fitted[], place: Place): Container {
  const scope = cluster.createScope<Cradle>();
  for (const f of hardware) {
    scope.register(f.instance, asFunction((cradle: Cradle) => make(f, cradle, place)).scoped());
    scope.register(f.instance, asValue(scope.resolve(f.instance)));
  }
  return scope;
}

/** One boot's kernel: made as they are needed, at the latest in the given order. */
export function bootScope(machine: Container, kernel: readonly Fitted[], place: Place): Container {
  const scope = machine.createScope<Cradle>();
  for (const f of kernel)
    scope.register(f.instance, asFunction((cradle: Cradle) => make(f, cradle, place)).scoped());
  for (const f of kernel) scope.resolve(f.instance);
  return scope;
}

/**
 * Hands a board exactly what it asked for, as a plain frozen object: a container's proxy would resolve everything
 * when it is spread, and answers for names that nobody asked for.
 */
function make(f: Fitted, cradle: Cradle, place: Place): unknown {
  const granted: Record<string, unknown> = {};
  for (const [slot, instance] of f.one) granted[slot] = instance === undefined ? undefined : cradle[instance];
  for (const [slot, instances] of f.many)
    granted[slot] = new Map([...instances].map(([short, instance]) => [short, cradle[instance]]));
  granted['wrapped'] = new Map(f.wrapped.map((instance) => [instance, cradle[instance]]));
  // Composition has checked that every name leads to a board of the slot that the requirement names.
  return f.board.create(Object.freeze(granted) as never, place as never);
}
