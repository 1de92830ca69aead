/** Stations on the medium under test, without machines behind them. */
import { type Engine, ms, type RandomStream } from '@backplane/engine';
import { type Attachment, broadcastAddress, Frame, type Medium, type StationAddress } from '@backplane/slots';
import { pattern } from '@backplane/slots/testing';
import { Rig } from '../rig.ts';
import type { Bounds } from './under-test.ts';

/** A group address: the lowest bit of the first byte is set. */
export const group: StationAddress = 0x03_00_00_00_00_42;
export const everybody: StationAddress = broadcastAddress;
const linkType = 0x0900;

export class World {
  readonly rig: Rig;
  readonly medium: Medium;
  readonly stations: readonly Tried[];

  constructor({ medium }: Pick<Bounds, 'medium'>, names: readonly string[], seed = 1) {
    this.rig = new Rig({}, { medium, seed });
    this.medium = this.rig.cluster.medium;
    this.stations = names.map((name, i) => new Tried(this, name, 0x02_00_00_00_00_10 + i));
  }

  get engine(): Engine {
    return this.rig.cluster.engine;
  }

  get random(): RandomStream {
    return this.engine.random('frames of a check');
  }

  station(i: number): Tried {
    const station = this.stations[i];
    if (station === undefined) throw new Error(`no station ${i}`);
    return station;
  }

  /** Until nothing is under way. */
  rest(forNs: number = ms(2000)): void {
    this.rig.after(forNs);
  }
}

export interface Arrival {
  readonly frame: Frame;
  readonly atNs: number;
}

export class Tried {
  readonly name: string;
  readonly address: StationAddress;
  readonly attachment: Attachment;
  readonly arrived: Arrival[] = [];
  listens = false;
  readonly #world: World;

  constructor(world: World, name: string, address: StationAddress) {
    this.#world = world;
    this.name = name;
    this.address = address;
    this.attachment = world.medium.attach({
      name,
      address,
      accepts: (to) => this.listens && to === group,
      deliver: (frame) => {
        this.arrived.push({ frame, atNs: world.engine.nowNs });
      },
    });
  }

  /** What arrived, by the keys of the frames. */
  get keys(): number[] {
    return this.arrived.map(({ frame }) => keyOf(frame));
  }

  frame(to: StationAddress, key: number, lengthBytes = 100): Frame {
    const payload = pattern(Math.max(1, lengthBytes), key);
    payload[0] = key;
    return new Frame(to, this.address, linkType, [payload]);
  }

  /** Sends one frame; tells how and when it ended. */
  send(frame: Frame): { delivered?: boolean; atNs?: number; times: number } {
    const ended: { delivered?: boolean; atNs?: number; times: number } = { times: 0 };
    this.attachment.send(frame, (delivered) => {
      ended.delivered = delivered;
      ended.atNs = this.#world.engine.nowNs;
      ended.times++;
    });
    return ended;
  }

  /** Sends one after the other. */
  sendAll(frames: readonly Frame[]): void {
    const [first, ...rest] = frames;
    if (first !== undefined) this.attachment.send(first, () => this.sendAll(rest));
  }
}

export const keyOf = (frame: Frame): number => frame.payload()[0] ?? -1;
