/** The same names over the naming under test and over static mounts: they lead to the same places. */
import { Engine } from '@backplane/engine';
import type { About } from '@backplane/slots';
import { type Check, same } from '../check.ts';
import { eachCourse } from '../course.ts';
import { mounts } from '../neighbours.ts';
import type { Bounds } from './under-test.ts';
import { type HostName, shown, World } from './world.ts';

const prefixes = ['/a', '/a/b', '/a/b/c', '/b', '/b/a', '/c/c/c'];
const servers: readonly HostName[] = ['ginger', 'mint'];
const hosts: readonly HostName[] = ['client', ...servers];

export const modelClauses = (bounds: Bounds): readonly Check[] => [
  {
    name: 'random names in random trees of domains lead where static mounts lead',
    run: () =>
      eachCourse(bounds.courses, (seed) => {
        const random = new Engine({ seed }).random('names of a check');
        const exported = ['/', ...prefixes.filter(() => random.chance(0.5))].map(
          (prefix) => [random.pick(servers), prefix] as const,
        );
        const names = Array.from({ length: 60 }, () => ({
          host: random.pick(hosts),
          about: random.pick(['object', 'entry'] as About[]),
          name: `/${Array.from({ length: random.below(5) }, () => random.pick(['a', 'b', 'c'])).join('/')}`,
        }));
        const leads = (boards: Bounds['boards']): string[] => {
          const w = new World({ boards }, seed);
          for (const [host, prefix] of exported) w.export(host, prefix);
          return names.map(({ host, name, about }) =>
            w.on(host, function* (view) {
              return shown(yield* w.where(view, name, about));
            }),
          );
        };
        const [found, model] = [leads(bounds.boards), leads({ naming: mounts() })];
        for (const [i, { host, name, about }] of names.entries())
          same(`${name} as an ${about} from ${host}`, found[i] ?? '', model[i] ?? '');
      }),
  },
];
