/**
 * The oracle: may a storage look like this after a crash at this moment? It knows the history of the model and the promises
 * of the storage, and nothing of how the storage works.
 */
import {
  type Attributes,
  entryKey,
  type History,
  type Node,
  nameHash,
  nobody,
  possible,
  rootNode,
} from './history.ts';
import type { Promises } from './store.ts';
import type { Tree, TreeNode } from './tree.ts';
import type { Violation } from './violation.ts';

/** How far a workload had come. */
export interface Moment {
  /** Operations that are over. */
  readonly done: number;
  /** The one under way, if any: `done`. */
  readonly underWay: boolean;
}

interface ExpectedFile {
  readonly contents: readonly Uint8Array[];
  readonly attributes: readonly Attributes[];
  /** It was confirmed, has had a name ever since, and none was taken away from it. */
  readonly mustBeThere: boolean;
}

const never = -2;

/** What is wrong in these ways may be the fault of what could not be read. */
const ofWholeTrees: ReadonlySet<string> = new Set(['links', 'order']);

/** What is taken for confirmed: what was, nothing, or all that was over, as long as there is no crash. */
export type Taken = 'asked for' | 'nothing' | 'everything';

/** What may be there after a crash at one moment. */
export class Expectation {
  /** Equal for moments of which the same is expected. */
  readonly signature: string;
  readonly #history: History;
  readonly #promises: Promises;
  readonly #names = new Map<string, readonly Node[]>();
  readonly #files = new Map<Node, ExpectedFile>();
  readonly #spaces = new Set<string>();
  /** By name and file: what the file may hold if a rename has put it in the place of another one. */
  readonly #replacing = new Map<string, readonly Uint8Array[]>();

  constructor(history: History, promises: Promises, m: Moment, taken: Taken = 'asked for') {
    const forgetful = taken === 'nothing';
    this.#history = history;
    this.#promises = promises;
    const limit = m.underWay ? m.done : m.done - 1;
    const confirmations =
      taken === 'everything'
        ? [{ operation: m.done - 1, everything: true, node: nobody, names: new Set<string>() }]
        : history.confirmations.filter((c) => c.operation < (forgetful ? 0 : m.done));
    this.signature = signatureOf(history, m);
    const together = promises.names === 'prefix';
    const lastOfAll = confirmations.at(-1)?.operation ?? never;
    for (const [key, versions] of history.names) {
      const confirmed = together
        ? lastOfAll
        : (confirmations.findLast((c) => c.everything || c.names.has(key))?.operation ?? never);
      // Before its first change there was no such name.
      const known = [{ operation: -1, value: nobody }, ...versions];
      this.#names.set(key, possible(known, confirmed, limit));
    }
    for (const [node, contents] of history.contents) {
      const confirmed = confirmations.findLast((c) => c.everything || c.node === node)?.operation ?? never;
      const [made] = contents;
      if (made === undefined || made.operation > limit) continue;
      const links = possible(history.links.get(node) ?? [], confirmed, limit);
      this.#files.set(node, {
        contents: possible(contents, confirmed, limit),
        attributes: possible(history.attributes.get(node) ?? [], confirmed, limit),
        mustBeThere:
          confirmed >= made.operation &&
          confirmed !== never &&
          links.every((n) => n > 0) &&
          !history.removals.get(node)?.some((o) => o > confirmed && o <= limit),
      });
    }
    for (const { operation, key, node } of history.replacements) {
      const contents = history.contents.get(node);
      const before = history.names.get(key)?.some((v) => v.value === node && v.operation < operation);
      if (operation <= limit && contents !== undefined && before === false && !forgetful)
        this.#replacing.set(`${key} ${node}`, possible(contents, operation, limit));
    }
    if (together)
      for (const { one, two } of possible(history.spaces, lastOfAll, limit))
        this.#spaces.add(`${one}.${two}`);
  }

  /**
   * @param nodes the model's number of each of the storage's files
   * @param mayFail what cannot be read may be missing; what can be must be right
   */
  judge(tree: Tree, nodes: ReadonlyMap<string, Node>, mayFail = false): readonly Violation[] {
    const found: Violation[] = [];
    const partial = mayFail && tree.unreadable.length > 0;
    const say = (kind: string, text: string): void => {
      if (!partial || !ofWholeTrees.has(kind)) found.push({ kind, text });
    };
    for (const text of tree.unreadable) if (!mayFail || !text.includes(': ioError')) say('unreadable', text);
    const seen = new Map<Node, TreeNode>();
    for (const t of tree.nodes.values()) {
      const node = nodes.get(t.id);
      if (node === undefined || !this.#files.has(node))
        say('never-made', `${t.path} is a file that nobody made`);
      else seen.set(node, t);
    }
    for (const [node, t] of seen) this.#judgeFile(node, t, say);
    this.#judgeNames(seen, nodes, say);
    for (const [node, { mustBeThere }] of this.#files)
      if (mustBeThere && node !== rootNode && !seen.has(node) && this.#promises.names === 'each' && !partial)
        say('lost', `file ${this.#nameOf(node)} was confirmed and has no name any more`);
    return found;
  }

  #judgeFile(node: Node, t: TreeNode, say: (kind: string, text: string) => void): void {
    const type = this.#history.types.get(node);
    if (t.type !== type) {
      say('type', `${t.path} is a ${t.type}, and was made as a ${type}`);
      return;
    }
    const expected = this.#files.get(node);
    if (expected === undefined) return;
    const { attributes } = expected;
    if (!attributes.some((a) => a.mode === t.mode && a.uid === t.uid && a.gid === t.gid))
      say(
        'attributes',
        `${t.path} has mode ${t.mode.toString(8)} of ${t.uid}.${t.gid}, which it never had since it was confirmed`,
      );
    if (t.type === 'directory') {
      const subdirectories = t.entries.filter((e) => e.node.type === 'directory').length;
      if (t.links !== 2 + subdirectories)
        say('links', `${t.path} has ${t.links} links and ${subdirectories} subdirectories`);
      if (t.names > 1) say('two-names', `directory ${t.path} has ${t.names} names`);
      return;
    }
    if (t.links !== t.names) say('links', `${t.path} has ${t.links} links and ${t.names} names`);
    this.#judgeContent(expected.contents, t, say);
  }

  #judgeContent(
    contents: readonly Uint8Array[],
    t: TreeNode,
    say: (kind: string, text: string) => void,
  ): void {
    const { bytes } = t;
    // Most often it is the last one.
    for (let i = contents.length - 1; i >= 0; i--) {
      const c = contents[i];
      if (c?.length === bytes.length && Buffer.compare(c, bytes) === 0) return;
    }
    if (!contents.some((c) => c.length === bytes.length)) {
      say(
        'size',
        `${t.path} has ${bytes.length} bytes; it had ${[...new Set(contents.map((c) => c.length))].join(' or ')} since it was confirmed`,
      );
      return;
    }
    if (this.#promises.contents === 'whole') {
      say('content', `${t.path} has bytes of several moments: ${differs(bytes, contents)}`);
      return;
    }
    for (let i = 0; i < bytes.length; i++)
      if (
        !contents.some((c) => i < c.length && c[i] === bytes[i]) &&
        !(bytes[i] === 0 && wasCut(contents, i))
      ) {
        say(
          'content',
          `${t.path}: byte ${i} is ${shown(bytes[i])}, which it never was since it was confirmed`,
        );
        return;
      }
  }

  #judgeNames(
    seen: ReadonlyMap<Node, TreeNode>,
    nodes: ReadonlyMap<string, Node>,
    say: (kind: string, text: string) => void,
  ): void {
    let one = 0;
    let two = 0;
    const present = new Set<string>();
    let each = true;
    for (const [directory, t] of seen)
      for (const { name, node: child } of t.entries) {
        const node = nodes.get(child.id);
        if (node === undefined) continue; // said already
        const key = entryKey(directory, name);
        present.add(key);
        const h = nameHash(key, node);
        one ^= h.one;
        two ^= h.two;
        const contents = this.#replacing.get(`${key} ${node}`);
        if (contents !== undefined && child.type !== 'directory') this.#judgeContent(contents, child, say);
        const allowed = this.#names.get(key);
        if (allowed?.includes(node) === true) continue;
        each = false;
        const known = allowed?.some((n) => n !== nobody) === true;
        say(
          known ? 'lost' : 'never-made',
          `${pathOf(t, name)} leads to file ${node} (${this.#nameOf(node)}), ${known ? 'and not to the one that was confirmed' : 'and was never made, or was removed for good'}`,
        );
      }
    for (const [key, allowed] of this.#names) {
      if (present.has(key) || allowed.includes(nobody)) continue;
      const slash = key.indexOf('/');
      const directory = seen.get(Number(key.slice(0, slash)));
      if (directory === undefined) continue; // its directory is judged
      if (directory.partial) continue; // and so it is unreadable
      each = false;
      say('lost', `${pathOf(directory, key.slice(slash + 1))} is missing`);
    }
    if (this.#promises.names === 'prefix' && each && !this.#spaces.has(`${one}.${two}`))
      say('order', `the names are those of no moment: ${[...seen.values()].map((t) => t.path).join(' ')}`);
  }

  #nameOf(node: Node): string {
    for (const [key, versions] of this.#history.names)
      if (versions.some((v) => v.value === node)) return `once "${key.slice(key.indexOf('/') + 1)}"`;
    return String(node);
  }
}

/** Was the file shorter after it had been long enough for this byte? Then it may be zeros already, and its size the old one. */
function wasCut(contents: readonly Uint8Array[], at: number): boolean {
  const first = contents.findIndex((c) => c.length > at);
  return first >= 0 && contents.some((c, i) => i > first && c.length <= at);
}

const pathOf = (t: TreeNode, name: string): string => (t.path === '/' ? `/${name}` : `${t.path}/${name}`);
const shown = (byte: number | undefined): string =>
  byte !== undefined && byte > 0x20 && byte < 0x7f ? `"${String.fromCharCode(byte)}"` : String(byte);

function differs(bytes: Uint8Array, contents: readonly Uint8Array[]): string {
  const like = contents.findLast((c) => c.length === bytes.length) ?? bytes;
  const at = bytes.findIndex((b, i) => b !== like[i]);
  return `byte ${at} is ${shown(bytes[at])}, in the last content of that size ${shown(like[at])}`;
}

/** Equal for moments of which the same is expected. */
export function signatureOf(history: History, { done, underWay }: Moment): string {
  const limit = underWay ? done : done - 1;
  let confirmations = 0;
  for (const c of history.confirmations) if (c.operation < done) confirmations++;
  return `${history.lastChange(limit)}.${confirmations}`;
}
