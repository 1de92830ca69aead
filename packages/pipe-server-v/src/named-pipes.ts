/**
 * Pipes that are opened by name: the server is the manager of a prefix, as a file server is, and answers the same operations
 * on names. An open with create makes the pipe, or finds the one that somebody else has made; so writer and reader meet,
 * whoever comes first. A name stays until it is removed, and the pipe as long as it has a name or an end.
 */
import type { Task } from '@backplane/engine';
import { attributesOf, type OpenRequest, openName, ServedDomains } from '@backplane/file-service';
import {
  type Attributes,
  authority,
  done,
  type EntityId,
  type FileId,
  isKernelError,
  KernelError,
  type Machine,
  type Naming,
  type OpenHow,
  staleName,
  type WireAttempt,
} from '@backplane/slots';
import { names, type OpenedFile, openFile, queryObject, type ServedObjects } from '@backplane/uio';
import type { Side } from './pipe.ts';
import { PipeEnd } from './pipe-end.ts';
import { PipeNames } from './pipe-names.ts';

export interface NamedPipesParts {
  readonly prefix: string;
  readonly naming: Naming;
  readonly objects: ServedObjects<PipeEnd>;
  readonly machine: Machine;
  readonly blocks: number;
  readonly blockBytes: number;
}

export class NamedPipes {
  readonly #parts: NamedPipesParts;
  readonly #names: PipeNames;
  readonly #domains: ServedDomains;
  readonly #files = new Map<PipeEnd, FileId>();

  constructor(parts: NamedPipesParts) {
    const { prefix, objects, machine, blocks, blockBytes } = parts;
    this.#parts = parts;
    this.#names = new PipeNames(machine, blocks, blockBytes);
    this.#domains = new ServedDomains(new Map([[prefix, this.#names]]), machine, {
      *fresh(_, attributes) {
        return attributes;
      },
      freed: () => {},
    });
    this.#domains.serveNames(objects.operations, names);
    objects.operations.serve(openFile, (q) => this.#open(q));
    objects.onProcedure(queryObject, ({ object }) => this.#query(object));
  }

  get count(): number {
    return this.#names.count;
  }

  /** From now on the prefix is found, and leads here. */
  *start(): Task<void> {
    const { naming, objects } = this.#parts;
    yield* this.#domains.start(naming, 'uio', authority(objects.process.id));
  }

  *halt(): Task<void> {
    yield* this.#domains.halt();
  }

  *#open(q: OpenRequest & { readonly owner: EntityId }): Task<WireAttempt<OpenedFile>> {
    try {
      const { objects, blockBytes } = this.#parts;
      const side = sideOf(q.how);
      const domain = this.#domains.of(q.start);
      const opened = yield* openName(domain, q.how, q.start, q.path, q);
      if (opened.is !== 'done') return opened;
      const { file, attributes } = opened.value;
      const pipe = this.#names.pipe(file);
      domain.opens.open(file);
      const end: PipeEnd = new PipeEnd(pipe, side, blockBytes, () => {
        this.#files.delete(end);
        return domain.closed(file);
      });
      this.#files.set(end, file);
      const { number } = objects.add(end, q.owner);
      return done({ manager: objects.process.id, instance: number, file, uio: end.attributes, attributes });
    } catch (e) {
      if (isKernelError(e, 'stale')) return staleName;
      throw e;
    }
  }

  *#query(end: PipeEnd): Task<Attributes> {
    const file = this.#files.get(end);
    if (file === undefined) throw new KernelError('unsupported', 'a pipe without a name');
    return attributesOf(this.#parts.machine.host, file, yield* this.#names.attributes(file));
  }
}

/** An instance is one end. */
function sideOf({ read, write }: OpenHow): Side {
  if ((read === true) === (write === true)) throw new KernelError('badArgument', 'one end at a time');
  return read === true ? 'read' : 'write';
}
