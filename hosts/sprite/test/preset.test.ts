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
    const [server, client] = c.machines.map((m) => m.boards.map((f) => f.instance));
    expect(server?.filter((i) => !client?.includes(i)).sort()).toEqual(['cleaner', 'disk.0', 'storage:/']);
    expect(client?.filter((i) => !server?.includes(i))).toEqual([]);
  });

  it('has a storage on a disk of its own for each domain of a server, and none on a workstation', () => {
    const stores = (kernel: ReturnType<typeof spriteClient>): readonly string[] =>
      [...kernel.boards.keys()].filter((i) => /^(storage|disk)/.test(i));
    expect(stores(spriteServer(['/', '/src']))).toEqual(['disk.0', 'disk.1', 'storage:/', 'storage:/src']);
    expect(stores(spriteClient())).toEqual([]);
  });

  it('refuses workstations without a server', () => {
    expect(() =>
      compose({ medium: ethernet(), machines: [machine('mace', 'client', spriteClient())] }),
    ).toThrowError(expect.objectContaining({ code: 'PROTOCOL_UNSERVED' }));
  });
});
