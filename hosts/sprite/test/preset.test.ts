import { compose } from '@backplane/chassis';
import { ethernet } from '@backplane/hw-ethernet';
import { sun3x75 } from '@backplane/hw-machines';
import { describe, expect, it } from 'vitest';
import { spriteClient, spriteServer } from '../src/index.ts';

const machine = (name: string, role: string, kernel: ReturnType<typeof spriteClient>) => ({
  name,
  type: sun3x75,
  role,
  kernel,
});

describe('the Sprite personality', () => {
  it('composes: a workstation and a server have everything that their boards need', () => {
    const c = compose({
      medium: ethernet(),
      machines: [machine('allspice', 'server', spriteServer()), machine('mace', 'client', spriteClient())],
    });
    expect(c.machines.map((m) => m.boards.length)).toEqual([
      c.machines[1]?.boards.length === undefined ? 0 : c.machines[1].boards.length + 1,
      c.machines[1]?.boards.length,
    ]);
  });

  it('has a storage for each domain of a server, and none on a workstation', () => {
    const storages = (kernel: ReturnType<typeof spriteClient>): readonly string[] =>
      [...kernel.boards.keys()].filter((i) => i.startsWith('storage'));
    expect(storages(spriteServer(['/', '/src']))).toEqual(['storage:/', 'storage:/src']);
    expect(storages(spriteClient())).toEqual([]);
  });

  it('refuses workstations without a server', () => {
    expect(() =>
      compose({ medium: ethernet(), machines: [machine('mace', 'client', spriteClient())] }),
    ).toThrowError(expect.objectContaining({ code: 'PROTOCOL_UNSERVED' }));
  });
});
