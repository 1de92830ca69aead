/**
 * The domains that one host serves by one protocol: exported to naming, found by the domain number of a file, and their
 * name operations served. The storages are a machine's instances by name: `storage:/src` is exported as "/src", and a
 * single `storage` as the root.
 */
import type { Task } from '@backplane/engine';
import {
  type Authority,
  authority,
  BackplaneError,
  type FileId,
  isKernelError,
  KernelError,
  type Machine,
  type NameOps,
  type Naming,
  type Storage,
  staleName,
  type Transport,
  type TwoNameOp,
  type WireAttempt,
} from '@backplane/slots';
import { type Asker, Domain, type DomainHooks } from './domain.ts';
import { fileToken } from './file-id.ts';
import { nameOperation } from './name-operations.ts';
import type { NameProcedures, TwoNameReply } from './name-procedures.ts';
import { Serving } from './serving.ts';
import { twoNameOperation } from './two-names.ts';

export class ServedDomains {
  readonly serving: Serving;
  readonly #storages: ReadonlyMap<string, Storage>;
  readonly #domains = new Map<number, Domain>();
  readonly #machine: Machine;

  constructor(storages: ReadonlyMap<string, Storage>, machine: Machine, hooks: DomainHooks) {
    this.#machine = machine;
    this.#storages = storages;
    this.serving = new Serving(machine);
    for (const [instance, storage] of storages) {
      if (this.#domains.has(storage.domain)) {
        throw new BackplaneError(
          'DOMAIN_TWICE',
          { machine: machine.name, domain: storage.domain, instance },
          `Two storages of machine "${machine.name}" have the domain number ${storage.domain}.`,
          `Give "${instance}" another one: option domain.`,
        );
      }
      this.#domains.set(storage.domain, new Domain(this.serving.guard(storage), machine, hooks));
    }
  }

  /**
   * Makes the storages whole after a crash; then serves what is asked, and lets itself be found.
   *
   * @param by who serves them, where that is not the host as such
   */
  *start(naming: Naming, protocol: string, by: Authority = this.#host): Task<void> {
    for (const storage of this.#storages.values()) yield* storage.recover();
    this.serving.begin();
    this.#export(naming, protocol, by);
  }

  /** Returns when the storages may be put away. */
  *halt(): Task<void> {
    yield* this.serving.end();
  }

  /** Announces every domain under the name of its instance. */
  #export(naming: Naming, protocol: string, by: Authority): void {
    for (const [instance, storage] of this.#storages) {
      const prefix = instance.startsWith('/') ? instance : '/';
      naming.export({
        prefix,
        protocol,
        authority: by,
        root: fileToken(storage.root),
      });
    }
  }

  get #host(): Authority {
    return authority(String(this.#machine.host));
  }

  all(): Iterable<Domain> {
    return this.#domains.values();
  }

  /** @throws KernelError `stale` when this host does not serve the file's domain */
  of(f: FileId): Domain {
    const domain = this.#domains.get(f.domain);
    if (domain === undefined) throw new KernelError('stale', `domain ${f.domain}`);
    return domain;
  }

  /** Serves every name operation. */
  serveNames(transport: Pick<Transport, 'serve'>, procedures: NameProcedures): void {
    for (const op of Object.keys(procedures.one) as (keyof NameOps)[])
      this.#serveOne(transport, procedures, op);
    for (const op of Object.keys(procedures.two) as TwoNameOp[]) {
      transport.serve(procedures.two[op], (q, { host }) =>
        this.#answer<TwoNameReply>(this.#twoNames(op, q.first, q.second, { ...q, host })),
      );
    }
  }

  #serveOne<K extends keyof NameOps>(
    transport: Pick<Transport, 'serve'>,
    procedures: NameProcedures,
    op: K,
  ): void {
    const procedure = procedures.one[op];
    transport.serve(procedure, (q, { host }) =>
      this.#answer<WireAttempt<NameOps[K]['out']>>(
        this.#oneName(op, q.argument, q.start, q.path, { ...q, host }),
      ),
    );
  }

  *#oneName<K extends keyof NameOps>(
    op: K,
    argument: NameOps[K]['in'],
    start: FileId,
    path: string,
    asker: Asker,
  ): Task<WireAttempt<NameOps[K]['out']>> {
    return yield* nameOperation(this.of(start), op, argument, start, path, asker);
  }

  *#twoNames(
    op: TwoNameOp,
    a: { readonly start: FileId; readonly path: string },
    b: { readonly start: FileId; readonly path: string },
    asker: Asker,
  ): Task<TwoNameReply> {
    if (a.start.domain !== b.start.domain) throw new KernelError('crossDomain');
    return yield* twoNameOperation(this.of(a.start), op, a, b, asker);
  }

  /** A root or working directory that is not known (any more) is an outcome, not an error: naming locates again. */
  *#answer<R>(operation: Task<R>): Task<R | typeof staleName> {
    try {
      return yield* operation;
    } catch (e) {
      if (isKernelError(e, 'stale')) return staleName;
      throw e;
    }
  }
}
