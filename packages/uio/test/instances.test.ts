import type { Task } from '@backplane/engine';
import { type EntityId, entityId, type Probed } from '@backplane/slots';
import { testMachine } from '@backplane/slots/testing';
import { describe, expect, it } from 'vitest';
import { Instances, type ServedInstance } from '../src/instances.ts';

const [alice, bob] = [entityId('000000000000000a'), entityId('000000000000000b')];
const file = 'a file';

function world() {
  const machine = testMachine();
  const lives = new Map<EntityId, Probed>();
  const probes: EntityId[] = [];
  const ipc = {
    *probe(e: EntityId): Task<Probed> {
      probes.push(e);
      return lives.get(e) ?? 'here';
    },
  };
  const dropped: number[] = [];
  const instances = new Instances<string>(
    ipc,
    machine,
    30e9,
    function* (i: ServedInstance<string>): Task<void> {
      dropped.push(i.number);
    },
  );
  const after = (seconds: number): void => machine.engine.run(machine.engine.nowNs + seconds * 1e9);
  return { machine, lives, probes, dropped, instances, after };
}

describe('the instances of a server', () => {
  it('have numbers that are not used again', () => {
    const { instances } = world();
    const first = instances.add(file, alice);
    expect(instances.remove(first)).toBe(true);
    expect(instances.remove(first)).toBe(false);
    expect(instances.add(file, alice).number).not.toBe(first.number);
    expect(instances.find(first.number)).toBeUndefined();
  });

  it('go when their owner has died, and those of others stay', () => {
    const w = world();
    w.instances.add(file, alice);
    const bobs = w.instances.add(file, bob);
    w.lives.set(alice, 'nonexistent');
    w.after(31);
    expect(w.dropped).toEqual([1]);
    expect(w.instances.find(bobs.number)).toBe(bobs);
    expect([w.instances.count, w.instances.collected]).toEqual([1, 1]);
  });

  it('outlive a silence, but not three in a row', () => {
    const w = world();
    w.instances.add(file, alice);
    w.lives.set(alice, 'noAnswer');
    w.after(61);
    w.lives.set(alice, 'here');
    w.after(30);
    w.lives.set(alice, 'noAnswer');
    w.after(60);
    expect(w.dropped).toEqual([]);
    w.after(30);
    expect(w.dropped).toEqual([1]);
  });

  it('are no reason to ask when there are none', () => {
    const w = world();
    w.instances.remove(w.instances.add(file, alice));
    w.after(1000);
    expect(w.probes).toEqual([]);
  });
});
