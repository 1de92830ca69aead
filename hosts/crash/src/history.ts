/**
 * What a file system has been in the course of a workload, change by change, and what was confirmed when. From it follows
 * what a crash may leave.
 *
 * Every change is tagged with the operation that made it. A crash at a moment with `done` operations over and perhaps one
 * under way may leave what any change up to that moment made, and nothing older than what was confirmed.
 */
import type { FileType } from '@backplane/slots';

export interface Attributes {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** A value and the operation after which it was so. */
export interface Version<T> {
  readonly operation: number;
  readonly value: T;
}

/** A file by the model's number; 0 for no file. */
export type Node = number;
export const nobody: Node = 0;
export const rootNode: Node = 1;

/** A name in a directory. */
export const entryKey = (directory: Node, name: string): string => `${directory}/${name}`;

/** What a confirmation covers. */
interface Confirmation {
  readonly operation: number;
  readonly everything: boolean;
  readonly node: Node;
  readonly names: ReadonlySet<string>;
}

/** Hash of all names: of the empty tree 0; exclusive or of the names in it. */
export interface SpaceHash {
  readonly one: number;
  readonly two: number;
}

export class History {
  readonly types: Map<Node, FileType> = new Map();
  readonly names: Map<string, Version<Node>[]> = new Map();
  readonly contents: Map<Node, Version<Uint8Array>[]> = new Map();
  readonly attributes: Map<Node, Version<Attributes>[]> = new Map();
  /** How many names lead to a file. */
  readonly links: Map<Node, Version<number>[]> = new Map();
  readonly spaces: Version<SpaceHash>[] = [{ operation: -1, value: { one: 0, two: 0 } }];
  readonly confirmations: Confirmation[] = [];
  /** Operations that took a name away from a file, and gave it none in its place. */
  readonly removals: Map<Node, number[]> = new Map();
  /** Names that a rename took from one file and gave to another. */
  readonly replacements: { readonly operation: number; readonly key: string; readonly node: Node }[] = [];
  /** The operation that changes are tagged with. */
  operation = -1;
  /** Operations that changed something, in order. */
  readonly #changing: number[] = [];

  made(node: Node, type: FileType, attributes: Attributes, content: Uint8Array): void {
    this.types.set(node, type);
    this.contents.set(node, [this.#tagged(content)]);
    this.attributes.set(node, [this.#tagged(attributes)]);
    this.links.set(node, [this.#tagged(0)]);
  }

  content(node: Node, bytes: Uint8Array): void {
    this.contents.get(node)?.push(this.#tagged(bytes));
  }

  attribute(node: Node, a: Attributes): void {
    this.attributes.get(node)?.push(this.#tagged(a));
  }

  /** Names that change together: in one step, all or none. */
  entries(changes: readonly { readonly directory: Node; readonly name: string; readonly to: Node }[]): void {
    let { one, two } = this.spaces.at(-1)?.value ?? { one: 0, two: 0 };
    for (const { directory, name, to } of changes) {
      const key = entryKey(directory, name);
      const list = this.names.get(key) ?? [];
      this.names.set(key, list);
      const from = list.at(-1)?.value ?? nobody;
      if (from === to) continue;
      for (const node of [from, to])
        if (node !== nobody) {
          const h = nameHash(key, node);
          one ^= h.one;
          two ^= h.two;
        }
      list.push(this.#tagged(to));
      if (from !== nobody && to !== nobody)
        this.replacements.push({ operation: this.operation, key, node: to });
      if (from !== nobody && !changes.some((c) => c.to === from))
        this.removals.set(from, [...(this.removals.get(from) ?? []), this.operation]);
      this.#count(from, -1);
      this.#count(to, 1);
    }
    this.spaces.push(this.#tagged({ one, two }));
  }

  confirm(everything: boolean, node: Node, names: ReadonlySet<string>): void {
    this.confirmations.push({ operation: this.operation, everything, node, names });
  }

  #count(node: Node, by: number): void {
    const list = this.links.get(node);
    if (node === nobody || list === undefined) return;
    list.push(this.#tagged((list.at(-1)?.value ?? 0) + by));
  }

  /** The last operation up to this one that changed something. */
  lastChange(limit: number): number {
    return this.#changing.findLast((o) => o <= limit) ?? -1;
  }

  #tagged<T>(value: T): Version<T> {
    if (this.#changing.at(-1) !== this.operation) this.#changing.push(this.operation);
    return { operation: this.operation, value };
  }
}

/**
 * The versions that a crash may leave: the last one of those that were there when it was confirmed, and all later ones.
 *
 * @param confirmed the operation that confirmed it; -2 when none has
 * @param limit the last operation that may have had an effect
 */
export function possible<T>(versions: readonly Version<T>[], confirmed: number, limit: number): readonly T[] {
  let from = 0;
  let to = 0;
  for (const [i, v] of versions.entries()) {
    if (v.operation <= confirmed) from = i;
    if (v.operation <= limit) to = i + 1;
  }
  return versions.slice(from, to).map((v) => v.value);
}

export function nameHash(key: string, node: Node): SpaceHash {
  let one = Math.imul(node + 1, 0x9e3779b1);
  let two = Math.imul(node + 0x632be5ab, 0x85ebca6b);
  for (let i = 0; i < key.length; i++) {
    const c = key.charCodeAt(i);
    one = Math.imul(((one << 5) | (one >>> 27)) ^ c, 0xcc9e2d51);
    two = Math.imul(((two << 7) | (two >>> 25)) + c, 0x1b873593) ^ (two >>> 13);
  }
  return { one: one ^ (one >>> 16), two: two ^ (two >>> 15) };
}
