/** What the storage has said is on the disk and nobody has touched since: it must be there after any crash. */
import type { Task } from '@backplane/engine';
import type { FileId, Storage } from '@backplane/slots';
import type { Model, ModelNode } from './storage-model.ts';
import { firstDifference } from './storage-model.ts';

interface Promised {
  readonly path: readonly string[];
  readonly bytes: Uint8Array;
  readonly links: number;
  /** What must not have been touched, with its count at the time. */
  readonly marks: ReadonlyMap<string, number>;
}

export class Durable {
  readonly #model: Model;
  readonly #touches = new Map<string, number>();
  readonly #promised = new Map<ModelNode, Promised>();

  constructor(model: Model) {
    this.#model = model;
  }

  touch(node: ModelNode, name?: string): void {
    const key = name === undefined ? `${node.id}` : `${node.id}/${name}`;
    this.#count(key);
    const led = name === undefined ? undefined : node.entries.get(name);
    if (led !== undefined) this.#count(`links of ${led.id}`);
  }

  #count(key: string): void {
    this.#touches.set(key, (this.#touches.get(key) ?? 0) + 1);
  }

  #counts(key: string): number {
    return this.#touches.get(key) ?? 0;
  }

  /** @param only the one file that is on the disk; everything when left out */
  promise(only?: ModelNode): void {
    this.#walk(this.#model.root, [], [], only);
  }

  #walk(directory: ModelNode, path: readonly string[], keys: readonly string[], only?: ModelNode): void {
    for (const [name, node] of directory.entries) {
      const here = [...path, name];
      const through = [...keys, `${directory.id}/${name}`];
      if (node.directory) this.#walk(node, here, through, only);
      else if (only === undefined || only === node) {
        const marks = new Map(
          [...through, `${node.id}`, `links of ${node.id}`].map((k) => [k, this.#counts(k)]),
        );
        this.#promised.set(node, { path: here, bytes: node.bytes.slice(), links: node.links, marks });
      }
    }
  }

  /** Looks whether the promises that still hold were kept; returns how many did. */
  *verify(s: Storage, root: FileId = s.root): Task<number> {
    let held = 0;
    for (const { path, bytes, links, marks } of this.#promised.values()) {
      if ([...marks].some(([key, count]) => this.#counts(key) !== count)) continue;
      let at = root;
      for (const name of path) {
        const next = yield* s.lookup(at, name);
        if (next === undefined) throw new Error(`${path.join('/')} is lost (at ${name})`);
        at = next;
      }
      const { sizeBytes, links: found } = yield* s.attributes(at);
      if (found !== links) throw new Error(`${path.join('/')} has ${found} links, not ${links}`);
      const seen = yield* s.read(at, 0, sizeBytes);
      const difference = firstDifference(seen, bytes);
      if (difference >= 0) throw new Error(`${path.join('/')} differs at ${difference} of ${bytes.length}`);
      held++;
    }
    return held;
  }

  /** Everything that is there can be read, and a tree is all that it is. */
  *readAll(s: Storage): Task<void> {
    const queue = [s.root];
    for (let d = queue.shift(); d !== undefined; d = queue.shift())
      for (const { file } of yield* s.entries(d)) {
        const { type, sizeBytes } = yield* s.attributes(file);
        if (type === 'directory') queue.push(file);
        else yield* s.read(file, 0, sizeBytes);
      }
  }
}
