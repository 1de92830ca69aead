/** Captures of Sun RPC as stock tshark reads them. Run where tshark is installed; continuous integration installs it. */
import { execFileSync, spawnSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ms, seconds, sleep } from '@backplane/engine';
import { lossRule } from '@backplane/hw-ethernet';
import { captureFrames } from '@backplane/lab';
import { pattern } from '@backplane/slots/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { caches, get, put, transports, World } from './kernels.ts';

const installed = spawnSync('tshark', ['--version']).status === 0;
const place = mkdtempSync(join(tmpdir(), 'backplane-sun-rpc-'));
const file = join(place, 'run.pcapng');
/** What stock tshark has to be told: to look for programs of which it has never heard. And it is to check all sums. */
const preferences = ['rpc.dissect_unknown_programs', 'udp.check_checksum', 'ip.check_checksum'];
const fields = [
  '_ws.malformed',
  '_ws.expert.severity',
  'arp.opcode',
  'ip.checksum.status',
  'ip.flags.mf',
  'udp.checksum.status',
  'rpc.msgtyp',
  'rpc.xid',
  'rpc.time',
  'rpc.auth.flavor',
  'rpc.auth.machinename',
  'rpc.dup',
  'rpc.state_auth',
] as const;
/** The fields of one frame, as text; empty where it has none. Of a field that comes twice, the first. */
type Packet = Readonly<Record<(typeof fields)[number], string>>;

const read = (): readonly Packet[] =>
  execFileSync(
    'tshark',
    [
      ...['-r', file, '-T', 'fields', '-E', 'occurrence=f'],
      ...preferences.flatMap((name) => ['-o', `${name}:TRUE`]),
      ...fields.flatMap((field) => ['-e', field]),
    ],
    { stdio: ['ignore', 'pipe', 'ignore'], maxBuffer: 1 << 28 },
  )
    .toString()
    .split('\n')
    .slice(0, -1)
    .map((line) => {
      const values = line.split('\t');
      return Object.fromEntries(fields.map((field, i) => [field, values[i] ?? ''])) as Packet;
    });

let packets: readonly Packet[] = [];
const count = (which: (p: Packet) => boolean): number => packets.filter(which).length;
let sent = 0;
let datagrams = 0;

beforeAll(() => {
  writeFileSync(file, '');
  const world = new World([transports['Sun RPC'] ?? {}, caches.none]);
  captureFrames(world.cluster, (bytes) => appendFileSync(file, bytes));
  world.drive(function* () {
    yield* world.on(0, (sys) => put(sys, '/f', pattern(30_000, 1)));
    yield* world.on(1, (sys) => get(sys, '/f'));
    // A file's reads over a wire that loses frames, then a server that lives anew.
    const { engine, medium } = world.cluster;
    const mend = medium.addRule(lossRule(engine, engine.random('loss'), { probability: 0.06 }));
    for (let i = 0; i < 3; i++) yield* world.on(1, (sys) => get(sys, '/f'));
    mend();
    yield* sleep(seconds(30));
    yield* world.reboot(world.server, seconds(2));
    yield* sleep(seconds(2));
    yield* world.on(0, (sys) => get(sys, '/f'));
    yield* sleep(ms(100));
  });
  sent = world.metric('rpc.sentPackets');
  datagrams = world.metric('ip.sent');
});
afterAll(() => rmSync(place, { recursive: true, force: true }));

const isRpc = (p: Packet): boolean => p['rpc.xid'] !== '';
const isCall = (p: Packet): boolean => p['rpc.msgtyp'] === '0';
const isReply = (p: Packet): boolean => p['rpc.msgtyp'] === '1';
const isFragment = (p: Packet): boolean => p['ip.flags.mf'] === '1' || p['ip.flags.mf'] === 'True';
const introduces = (p: Packet): boolean => isCall(p) && p['rpc.auth.flavor'] === '1';

describe.runIf(installed)('a capture of Sun RPC in stock tshark', () => {
  beforeAll(() => {
    packets = read();
  });

  it('has every packet', () => {
    expect(datagrams).toBeGreaterThan(100);
    expect(sent).toBeGreaterThan(datagrams); // some were cut into fragments
    expect(count((p) => p['arp.opcode'] === '')).toBe(sent);
  });

  it('has each datagram decoded as RPC, where its last fragment is', () => {
    expect(count(isRpc)).toBe(datagrams);
    expect(count(isFragment)).toBe(sent - datagrams);
  });

  it('finds no packet malformed, and every checksum right', () => {
    expect(count((p) => p['_ws.malformed'] !== '')).toBe(0);
    const error = 0x80_0000;
    expect(count((p) => Number(p['_ws.expert.severity']) >= error)).toBe(0);
    expect(count((p) => p['ip.checksum.status'] === '1')).toBe(sent);
    expect(count((p) => p['udp.checksum.status'] === '1')).toBe(datagrams);
  });

  it('matches each reply with its call, by port and xid', () => {
    expect(count(isReply)).toBeGreaterThan(40);
    expect(count((p) => isReply(p) && p['rpc.time'] === '')).toBe(0);
  });

  it('shows how a client introduces itself, and then uses the short hand that it got', () => {
    const names = new Set(packets.filter(introduces).map((p) => p['rpc.auth.machinename']));
    expect([...names].sort()).toEqual(['client0', 'client1']);
    expect(count((p) => isCall(p) && p['rpc.auth.flavor'] === '2')).toBeGreaterThan(20);
  });

  it('shows requests sent again with the same xid, and the next life of the server refusing a short hand', () => {
    expect(count((p) => isCall(p) && p['rpc.dup'] !== '')).toBeGreaterThan(0);
    expect(count((p) => p['rpc.state_auth'] === '2')).toBeGreaterThan(0);
  });
});
