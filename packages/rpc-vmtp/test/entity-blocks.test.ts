/** Numbers for entities by blocks of 256, won by asking whether anybody objects. */
import { codeOf, type EntityId, entityId, ReplyCode } from '@backplane/slots';
import { describe, expect, it } from 'vitest';
import {
  discriminatorOf,
  entityNumber,
  groupStation,
  probeEntityBlock,
  vmtpDefaultClient,
  vmtpManagerGroup,
} from '../src/index.ts';
import { asks, Desk, question } from './desk.ts';
import { Script } from './script.ts';
import { World } from './world.ts';

describe('numbers by blocks', () => {
  const blockOf = (e: EntityId): string => e.slice(0, 14);

  it('are unique, say nothing about the host, and are found by asking', () => {
    const world = new World({ rpc: { allocation: 'block' } });
    const hosts = [world.host('a'), world.host('b'), world.host('c')] as const;
    world.after(1e9);
    const minted = hosts.map((h) => {
      const own: EntityId[] = [];
      for (let i = 0; i < 600; i++) {
        own.push(h.entities.mint());
        if (i % 100 === 99) world.after(1e9);
      }
      return own;
    });
    const all = minted.flat();
    expect(new Set(all).size).toBe(1800);
    expect(all.every((e) => Number.parseInt(e.slice(8), 16) >= 0xf000_0000)).toBe(true);
    const [a, b] = hosts;
    const desk = new Desk(b, undefined, b.entities.mint());
    const { message: reply } = world.drive(() => a.entities.send(asks(a), desk.entity, question(10)));
    expect(codeOf(reply)).toBe(ReplyCode.ok);
    expect(new Set(minted.flatMap((own) => own.map(blockOf))).size).toBe(9);
  });

  it('are not taken from a block to which somebody objects, by holding it or knowing a number of it', () => {
    const world = new World({ rpc: { allocation: 'block' } });
    const a = world.host('a');
    world.after(1e9);
    const held = a.entities.mint();
    const foreign = entityNumber(0, discriminatorOf(held) ^ 1, 0xf012_3407);
    a.entities.attach(foreign, { arrived: () => 'busy' });
    const asker = new Script(world, 2);
    const objectionsTo = (e: EntityId): number => {
      const heading = { client: vmtpDefaultClient.bigEndian, server: vmtpManagerGroup, transaction: 0 };
      const m = probeEntityBlock.request.encode({ entity: entityId(`${blockOf(e)}00`) });
      asker.forget();
      asker.say(groupStation(vmtpManagerGroup), { ...heading, response: false, multicast: true }, m);
      return asker.heard.filter((p) => p.response && p.client === vmtpDefaultClient.bigEndian).length;
    };
    expect(objectionsTo(held)).toBe(1);
    expect(objectionsTo(foreign)).toBe(1);
    expect(objectionsTo(entityNumber(0, 3, 0xf012_3400))).toBe(0);
    // Who has heard of a number objects as well, and a host without blocks.
    const b = world.host('b', { allocation: 'address' });
    world.drive(() => b.entities.send(asks(b), foreign, question(0), { timeoutNs: 1e9 }));
    expect(objectionsTo(foreign)).toBe(2);
  });

  it('are drawn anew in each life of a host', () => {
    const world = new World({ rpc: { allocation: 'block' } });
    const a = world.host('a');
    world.after(1e9);
    const before = a.entities.mint();
    a.reboot();
    world.after(1e9);
    expect(blockOf(a.entities.mint())).not.toBe(blockOf(before));
  });
});
