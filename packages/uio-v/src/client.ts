/** The client's half: opens files at their managers by name, and finds them again after a manager's death. */
import { charge, seconds, settle, sleep, type Task, tasks } from '@backplane/engine';
import { fileKey, startOf } from '@backplane/file-service';
import {
  type Attempt,
  type Authority,
  authority,
  Busy,
  type Credentials,
  done,
  type Elsewhere,
  type EntityId,
  entityId,
  type FileProtocol,
  type Ipc,
  isKernelError,
  KernelError,
  type Machine,
  type NameOps,
  type NameTarget,
  type Naming,
  type OpenHow,
  type OpenObject,
  type Procedure,
  type SecondAttempt,
  staleName,
  type TwoNameOp,
  type Verdict,
  type WireAttempt,
} from '@backplane/slots';
import type { FileServer } from './file-server.ts';
import { OpenInstance, type Place } from './open-instance.ts';
import { type Created, createInstance, names, recreateInstance } from './operations.ts';
import { Senders } from './senders.ts';

/** Between two looks whether a server that is silent is back. */
const againNs = /* @__PURE__ */ seconds(1);

export class Client implements FileProtocol {
  static {
    tasks(Client);
  }

  readonly protocol = 'uio';
  readonly machine: Machine;
  readonly senders: Senders;
  /** The other half, where this machine has storages. */
  readonly server: FileServer | null;
  readonly #ipc: Ipc;
  readonly #naming: Naming;

  constructor(ipc: Ipc, naming: Naming, machine: Machine, server: FileServer | null) {
    this.machine = machine;
    this.server = server;
    this.#ipc = ipc;
    this.#naming = naming;
    this.senders = new Senders(ipc, machine);
  }

  *open(t: NameTarget, how: OpenHow, who: Credentials): Task<Attempt<OpenObject | Elsewhere>> {
    charge(this.machine.type.costs.openClientNs, Busy.files);
    const outcome = yield* this.#attempt<
      Parameters<typeof createInstance.request.encode>[0],
      Created,
      WireAttempt<Created>
    >(t.authority, createInstance, {
      start: startOf(t.root),
      path: t.remainder,
      how,
      who,
      machineType: this.machine.type.name,
      owner: this.senders.owner,
    });
    if (outcome.is !== 'done') return outcome;
    const { file, attributes, instance } = outcome.value;
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
    const place = { manager: managerOf(t.authority), instance };
    const isDirectory = type === 'directory';
    return done(new OpenInstance(this, { ref, how, file, prefix: t.prefix, isDirectory }, place));
  }

  *name<K extends keyof NameOps>(
    t: NameTarget,
    op: K,
    argument: NameOps[K]['in'],
    who: Credentials,
  ): Task<Attempt<NameOps[K]['out']>> {
    const request = {
      start: startOf(t.root),
      path: t.remainder,
      who,
      machineType: this.machine.type.name,
      argument,
    };
    return yield* this.#attempt(t.authority, names.one[op], request);
  }

  *nameTwo(
    op: TwoNameOp,
    a: NameTarget,
    b: NameTarget,
    who: Credentials,
  ): Task<Attempt<null> | SecondAttempt<null>> {
    const request = {
      first: { start: startOf(a.root), path: a.remainder },
      second: { start: startOf(b.root), path: b.remainder },
      who,
      machineType: this.machine.type.name,
    };
    return yield* this.#attempt<typeof request, null, WireAttempt<null> | SecondAttempt<null>>(
      a.authority,
      names.two[op],
      request,
    );
  }

  /** Nothing is kept here. */
  *sync(): Task<void> {}

  /** Returns when the file is open again. @throws KernelError `stale` when it is not there any more */
  *recreate({ prefix, file, how }: OpenInstance): Task<Place> {
    const request = { owner: this.senders.owner, file, how };
    for (;;) {
      try {
        // Through naming, which forgets the manager that is gone.
        return yield* this.#naming.view().perform(prefix, 'object', (t) =>
          this.#reach(t.authority, function* (manager, senders) {
            const { instance } = yield* senders.call(manager, recreateInstance, request);
            return done({ manager, instance });
          }),
        );
      } catch (e) {
        if (!isKernelError(e, 'notFound') && !isKernelError(e, 'noAnswer')) throw e;
        yield* sleep(againNs);
      }
    }
  }

  /** One message about a name. */
  *#attempt<Q, T, R extends WireAttempt<T> | SecondAttempt<T>>(
    to: Authority,
    procedure: Procedure<Q, R>,
    request: NoInfer<Q>,
  ): Task<R | Gone<T>> {
    charge(this.machine.type.costs.clientNamingNs, Busy.files);
    yield* settle();
    return yield* this.#reach(to, (manager, senders) => senders.call(manager, procedure, request));
  }

  /** A manager that is gone has no names: another one may have them by now. One that is silent may come back. */
  *#reach<R>(to: Authority, ask: (manager: EntityId, senders: Senders) => Task<R>): Task<R | Gone<never>> {
    const manager = managerOf(to);
    try {
      return yield* ask(manager, this.senders);
    } catch (e) {
      if (!isKernelError(e, 'peerDown')) throw e;
      if ((yield* this.#ipc.probe(manager)) === 'nonexistent') return staleName;
      return { is: 'unreachable', wait: () => this.#await() };
    }
  }

  *#await(): Task<Verdict> {
    yield* sleep(againNs);
    return 'retry';
  }
}

/** Nobody has answered. */
type Gone<T> = Extract<Attempt<T>, { readonly is: 'unreachable' }> | typeof staleName;

/** @throws KernelError `badArgument` for the authority of another protocol */
function managerOf(a: Authority): EntityId {
  if (!/^[0-9a-f]{16}$/.test(a)) throw new KernelError('badArgument', a);
  return entityId(a);
}
