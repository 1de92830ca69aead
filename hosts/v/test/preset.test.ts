import { compose } from '@backplane/chassis';
import { ethernet } from '@backplane/hw-ethernet';
import { sun3x75 } from '@backplane/hw-machines';
import { describe, expect, it } from 'vitest';
import { vFileServer, vWorkstation } from '../src/index.ts';

const machine = (name: string, role: string, kernel: ReturnType<typeof vWorkstation>) => ({
  name,
  type: sun3x75,
  role,
  kernel,
});

describe('the V personality', () => {
  it('composes: a workstation and a file server have everything that their boards need', () => {
    const c = compose({
      medium: ethernet(),
      machines: [
        machine('pescadero', 'server', vFileServer()),
        machine('gregorio', 'client', vWorkstation()),
      ],
    });
    const [server, client] = c.machines.map((m) => m.boards.map((f) => f.instance));
    expect(server?.filter((i) => !client?.includes(i)).sort()).toEqual([
      'blockCache',
      'cleaner',
      'disk.0',
      'storage:/',
    ]);
    expect(client?.filter((i) => !server?.includes(i))).toEqual([]);
  });

  it('has a storage on a disk of its own for each domain of a file server', () => {
    const stores = [...vFileServer(['/', '/src']).boards.keys()].filter((i) => /^(storage|disk)/.test(i));
    expect(stores).toEqual(['disk.0', 'disk.1', 'storage:/', 'storage:/src']);
  });

  it('refuses workstations without a file server', () => {
    expect(() =>
      compose({ medium: ethernet(), machines: [machine('gregorio', 'client', vWorkstation())] }),
    ).toThrowError(expect.objectContaining({ code: 'PROTOCOL_UNSERVED' }));
  });
});
