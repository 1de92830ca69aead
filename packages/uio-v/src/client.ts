/** The client's half: opens files at their managers by name, and finds them again after a manager's death. */
import { type Task, tasks } from '@backplane/engine';
import { fileKey } from '@backplane/file-service';
import {
  type Attempt,
  authority,
  type Credentials,
  done,
  type Elsewhere,
  type FileProtocol,
  type Ipc,
  type Machine,
  type NameOps,
  type NameTarget,
  type Naming,
  type OpenHow,
  type OpenObject,
  type SecondAttempt,
  type TwoNameOp,
} from '@backplane/slots';
import { FileClient, Senders } from '@backplane/uio';
import type { FileServer } from './file-server.ts';
import { OpenInstance, type Place } from './open-instance.ts';

export class Client implements FileProtocol {
  static {
    tasks(Client);
  }

  readonly protocol = 'uio';
  readonly machine: Machine;
  readonly senders: Senders;
  /** The other half, where this machine has storages. */
  readonly server: FileServer | null;
  readonly #files: FileClient;
  readonly #naming: Naming;

  constructor(ipc: Ipc, naming: Naming, machine: Machine, server: FileServer | null) {
    this.machine = machine;
    this.server = server;
    this.#naming = naming;
    this.senders = new Senders(ipc, machine);
    this.#files = new FileClient({
      asker: this.senders,
      owner: this.senders.owner,
      type: machine.type,
      probe: (manager) => ipc.probe(manager),
    });
  }

  *open(t: NameTarget, how: OpenHow, who: Credentials): Task<Attempt<OpenObject | Elsewhere>> {
    const outcome = yield* this.#files.open(t, how, who);
    if (outcome.is !== 'done') return outcome;
    const { manager, instance, file, attributes } = outcome.value;
    const { device, type } = attributes;
    if (device !== undefined)
      return done({
        elsewhere: {
          kind: type,
          protocol: this.protocol,
          authority: authority(String(device.host)),
          id: { type: device.type, unit: device.unit },
        },
      });
    const ref = { kind: 'file', protocol: this.protocol, authority: t.authority, id: fileKey(file) };
    const isDirectory = type === 'directory';
    const open = { ref, how, file, prefix: t.prefix, isDirectory };
    return done(new OpenInstance(this, open, { manager, instance }));
  }

  name<K extends keyof NameOps>(
    t: NameTarget,
    op: K,
    argument: NameOps[K]['in'],
    who: Credentials,
  ): Task<Attempt<NameOps[K]['out']>> {
    return this.#files.name(t, op, argument, who);
  }

  nameTwo(
    op: TwoNameOp,
    a: NameTarget,
    b: NameTarget,
    who: Credentials,
  ): Task<Attempt<null> | SecondAttempt<null>> {
    return this.#files.nameTwo(op, a, b, who);
  }

  /** Nothing is kept here. */
  *sync(): Task<void> {}

  /** Returns when the file is open again. @throws KernelError `stale` when it is not there any more */
  *recreate({ prefix, file, how }: OpenInstance): Task<Place> {
    return yield* this.#files.reopen(this.#naming.view(), prefix, file, how);
  }
}
