/** Other simulators on the same workloads: programs of their own in a folder, each of which prints its line as JSON. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Line } from './line.ts';

/** A compiled program and its words, or a script by its interpreter. */
type Command = readonly [program: string, ...words: string[]];

const simpy = (...words: string[]): Command => ['simpy_w.py', ...words];
const net = (hosts: number, thinkMs: number, seconds: number): readonly Command[] => {
  const size = [String(hosts), String(thinkMs), String(seconds)];
  return [
    ['ns3_net', 'raw', ...size],
    ['simgrid_net', ...size, '--cfg=network/model:CM02'],
  ];
};

/** By benchmark, rpc8k with its point. Sizes at which each takes a second or so. */
const commands: Readonly<Record<string, readonly Command[]>> = {
  w1: [simpy('w1', '1000', '500'), ['ns3_w', 'w1', 'Map', '1000', '2000'], ['w1_cpp', '1000', '5000']],
  'w1-5': [simpy('w1', '1000', '500')],
  callbacks: [['w1_cpp', '1000', '5000']],
  w2: [simpy('w2', '100', '125')],
  mm1: [simpy('mm1', '50000'), ['ns3_w', 'mm1', 'Map', '300000']],
  'rpc8k A': net(10, 100, 100),
  'rpc8k B': net(100, 1000, 20),
  'rpc8k C': net(100, 0, 20),
};

export interface Peers {
  /** Scripts. */
  readonly folder: string;
  /** Compiled programs. */
  readonly build: string;
}

/** Beside the project, where it comes with them. */
export const usualFolder = '../shared/peers';

/** Null where there are none. */
export function findPeers(root: string, folder?: string, build?: string): Peers | null {
  const found = folder ?? resolve(root, usualFolder);
  return existsSync(found) ? { folder: found, build: build ?? join(found, 'build') } : null;
}

/** The lines of those that are there and can be run. */
export function runPeers(benchmark: string, { folder, build }: Peers): readonly Line[] {
  return (commands[benchmark] ?? []).flatMap(([program, ...words]) => {
    const isScript = program.endsWith('.py');
    const file = join(isScript ? folder : build, program);
    if (!existsSync(file)) return [];
    const ran = isScript
      ? spawnSync('/usr/bin/python3', [file, ...words], { encoding: 'utf8' })
      : spawnSync(file, words, { encoding: 'utf8' });
    const last = ran.stdout?.trim().split('\n').at(-1) ?? '';
    return ran.status === 0 && last !== '' ? [lineOf(JSON.parse(last) as PeerLine)] : [];
  });
}

interface PeerLine {
  readonly name: string;
  readonly sec: number;
  readonly cpu: number;
  readonly units?: number;
  readonly rate?: number;
  /** Of network workloads: frames, or what would be frames where messages flow. */
  readonly framesPerCpuS?: number;
  readonly frameEquivPerCpuS?: number;
  readonly rpcs?: number;
  readonly simS?: number;
  readonly simPerCpu?: number;
}

function lineOf(p: PeerLine): Line {
  const rate = p.rate ?? p.framesPerCpuS ?? p.frameEquivPerCpuS ?? 0;
  const perSecond = p.rpcs === undefined || p.simS === undefined ? null : p.rpcs / p.simS;
  return {
    name: p.name,
    units: p.units ?? Math.round(rate * p.cpu),
    sec: p.sec,
    cpu: p.cpu,
    rate,
    check: perSecond === null ? '' : `${perSecond.toFixed(1)} RPCs per simulated second`,
    ...(p.simPerCpu !== undefined && { simulatedSecondsPerCpuSecond: p.simPerCpu }),
  };
}
