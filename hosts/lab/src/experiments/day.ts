/**
 * A synthetic day on V's workstations, for what the article says of its messages and names as they were in use: more than
 * half of the messages fit into 32 bytes, 0.3 % of the lookups of names led to a multicast, and just under 1 % of the
 * packets were multicast (Cheriton 1988). Nobody has published what the users did then, so their load is that of another
 * cluster (`dayMix`): the shares are reported beside the article's, and nothing is made to agree with them. Two of them turn
 * on what is our own: lookups multicast when a user begins, and packets when hosts tell one another the time, every 10 s.
 */
import { seconds, type Task } from '@backplane/engine';
import { defineExperiment, type Experiment } from '../experiment.ts';
import { checkNames, count } from '../parameters.ts';
import { furnish, homes, noWork, shell, type Work } from './day-users.ts';
import { countTraffic, type Traffic } from './v-traffic.ts';

export interface DayResult extends Work, Traffic {
  readonly users: number;
  readonly minutes: number;
  /** Users whose day ended with an error. */
  readonly unfinished: number;
  /** Of names, by programs. */
  readonly lookups: number;
  readonly lookupsMulticast: number;
  readonly shortMessagesPercent: number;
  readonly lookupsMulticastPercent: number;
  readonly multicastPacketsPercent: number;
}
interface Parameters {
  readonly users: number;
  readonly minutes: number;
}

const name = 'day';
const texts = [
  { name: 'users', value: '4', description: 'each at a workstation of their own, and active' },
  { name: 'minutes', value: '60', description: 'of virtual time' },
];

const published = { shortMessages: 'over 50', lookupsMulticast: '0.3', multicastPackets: 'under 1' };

export const day: Experiment<Parameters, DayResult> = defineExperiment({
  name,
  description:
    'V: users at work, and the share of messages that are short, of names and packets that are multicast',
  kernel: () => 'v',
  uses: ['systemCalls', 'ipc', 'naming'],
  shape: ({ users }) => ({
    clients: users,
    clientsMin: users,
    servers: 1,
    serversMax: 1,
    machineTypes: { client: 'sun3-75', server: 'sun3-180' },
    prefixes: [['/', homes]],
  }),
  parameterTexts: texts,
  parameters(given) {
    checkNames(name, given, texts);
    return { users: count(name, given, 'users', 4, 100), minutes: count(name, given, 'minutes', 60, 1440) };
  },
  *run({ cluster, clients, servers: [server], parameters, start }): Task<DayResult> {
    const { users, minutes } = parameters;
    const { engine } = cluster;
    if (server !== undefined)
      yield* start(server, 'furnish', function* (sys) {
        yield* furnish(sys, users, engine.random(name, 'furnish'));
        return 0;
      }).join();
    const lookupsBefore = lookupsIn(cluster.metrics());
    const { traffic, end } = countTraffic(cluster.medium);
    const work = noWork();
    const endNs = engine.nowNs + seconds(60 * minutes);
    const shells = clients.slice(0, users).map((machine, user) => {
      const random = engine.random(name, machine.name);
      return start(machine, 'shell', (sys) => shell(sys, user, endNs, random, work));
    });
    let unfinished = 0;
    for (const s of shells) if ((yield* s.join()) !== 0) unfinished++;
    end();
    const after = lookupsIn(cluster.metrics());
    const lookups = after.all - lookupsBefore.all;
    const lookupsMulticast = after.multicast - lookupsBefore.multicast;
    return {
      ...{ users, minutes, unfinished, ...work, ...traffic, lookups, lookupsMulticast },
      shortMessagesPercent: percent(traffic.shortMessages, traffic.messages),
      lookupsMulticastPercent: percent(lookupsMulticast, lookups),
      multicastPacketsPercent: percent(traffic.multicastPackets, traffic.packets),
    };
  },
  passed: (r) => r.unfinished === 0,
  measures: (r) => ({
    'day.shortMessagesPercent': r.shortMessagesPercent,
    'day.lookupsMulticastPercent': r.lookupsMulticastPercent,
    'day.multicastPacketsPercent': r.multicastPacketsPercent,
  }),
  table: (r) => ({
    title: `${r.users} users for ${r.minutes} minutes`,
    head: ['what', 'of', 'number', '%', 'published'],
    rows: [
      shareRow('messages that fit 32 bytes', r.messages, r.shortMessages, published.shortMessages),
      shareRow('lookups that multicast', r.lookups, r.lookupsMulticast, published.lookupsMulticast),
      shareRow('packets that are multicast', r.packets, r.multicastPackets, published.multicastPackets),
    ],
    note: `${r.programs} programs, ${r.opens} opens, ${r.deletes} deletes; ${megabytes(r.readBytes)} MB read, ${megabytes(r.writtenBytes)} MB written. The load is that of Sprite's users in 1991; published of V's in 1988.`,
  }),
});

const percent = (part: number, all: number): number => (all === 0 ? 0 : (100 * part) / all);

const shareRow = (what: string, all: number, part: number, of: string): readonly string[] => [
  what,
  String(all),
  String(part),
  percent(part, all).toFixed(2),
  of,
];

const megabytes = (bytes: number): string => (bytes / 2 ** 20).toFixed(1);

const lookupsIn = (
  metrics: Readonly<Record<string, number>>,
): { readonly all: number; readonly multicast: number } => ({
  all: metrics['naming.lookups'] ?? 0,
  multicast: metrics['naming.lookupsMulticast'] ?? 0,
});
