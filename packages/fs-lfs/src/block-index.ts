/**
 * Where the blocks of a file are: ten pointers in the descriptor, then trees of index blocks of 509 pointers, of one, two
 * and three levels, which reach well beyond 4 GB. Index blocks stay in memory once they were used; those that have changed
 * go into the log before the descriptor that leads to them.
 */

import { type Task, tasks } from '@backplane/engine';
import { damaged } from '@backplane/file-service';
import { type Geometry, isInSegment } from './geometry.ts';
import {
  blockBytes,
  blockHeader,
  blockSectors,
  directPointers,
  indexLevels,
  indexMagic,
  isSealed,
  type Pointer,
  pointer,
  pointersPerBlock,
  seal,
} from './layouts.ts';
import { formOf, fromPointer, nowhere, type Place, sectorOf, sectorsOf } from './place.ts';

/** An index block in memory. */
interface Node {
  readonly level: number;
  /** First file block that it leads to. */
  readonly first: number;
  readonly pointers: Float64Array;
  readonly children: (Node | undefined)[];
  place: Place;
  dirty: boolean;
}

/** What an index needs from the disk. */
export interface IndexSource {
  readonly geometry: Geometry;
  readonly log: { read(place: Place): Task<Uint8Array> };
}

/** What happens to an index block that goes into the log: it gets its place. */
export type StageIndex = (bytes: Uint8Array, first: number, level: number, old: Place) => Place;

/** File blocks that one pointer of a node of a level leads to. */
const spans: readonly number[] = [
  0,
  1,
  pointersPerBlock,
  pointersPerBlock * pointersPerBlock,
  pointersPerBlock * pointersPerBlock * pointersPerBlock,
];
const span = (level: number): number => spans[level] ?? 0;
/** First file block of the tree of a level. */
const firstOf = (level: number): number => {
  let first = directPointers;
  for (let l = 1; l < level; l++) first += span(l + 1);
  return first;
};
const firsts: readonly number[] = [0, firstOf(1), firstOf(2), firstOf(3)];

const levelOf = (block: number): number => {
  for (let level = 1; level < indexLevels; level++) if (block < (firsts[level + 1] ?? 0)) return level;
  return indexLevels;
};

export class BlockIndex {
  static {
    tasks(BlockIndex);
  }

  readonly #source: IndexSource;
  readonly #number: number;
  readonly #generation: number;
  #direct: Place[];
  #roots: readonly Place[];
  #nodes: readonly (Node | undefined)[] = noNodes;
  #dirty = false;

  constructor(
    source: IndexSource,
    id: { readonly number: number; readonly generation: number },
    from?: { readonly direct: readonly Pointer[]; readonly indirect: readonly Pointer[] },
  ) {
    this.#source = source;
    this.#number = id.number;
    this.#generation = id.generation;
    this.#direct = from?.direct.map(fromPointer) ?? [];
    this.#roots = from?.indirect.map(fromPointer) ?? noPlaces;
  }

  /** No index block waits to go into the log. */
  get clean(): boolean {
    return !this.#dirty;
  }

  /** Writes the descriptor's pointers into bytes that are zeros. */
  encode(bytes: Uint8Array, at: number): void {
    for (let i = 0; i < this.#direct.length; i++)
      putPointer(bytes, at + i * pointer.size, this.#direct[i] ?? nowhere);
    for (let i = 0; i < this.#roots.length; i++)
      putPointer(bytes, at + (directPointers + i) * pointer.size, this.#roots[i] ?? nowhere);
  }

  /** Where a block is; undefined when index blocks have to be read first. */
  tryFind(block: number): Place | undefined {
    if (block < directPointers) return this.#direct[block] ?? nowhere;
    const level = levelOf(block);
    if ((this.#roots[level - 1] ?? nowhere) === nowhere && this.#nodes[level - 1] === undefined)
      return nowhere;
    let node = this.#nodes[level - 1];
    while (node !== undefined && node.level > 1) {
      const slot = slotOf(node, block);
      const child: Node | undefined = node.children[slot];
      if (child === undefined && (node.pointers[slot] ?? nowhere) === nowhere) return nowhere;
      node = child;
    }
    return node?.pointers[slotOf(node, block)];
  }

  *find(block: number): Task<Place> {
    const known = this.tryFind(block);
    if (known !== undefined) return known;
    yield* this.load(block);
    return this.tryFind(block) ?? nowhere;
  }

  /** Brings the index blocks that lead to a block into memory, as far as there are any. @throws KernelError `ioError` */
  *load(block: number): Task<void> {
    if (block < directPointers) return;
    const level = levelOf(block);
    let node = yield* this.#root(level);
    while (node !== undefined && node.level > 1) node = yield* this.#child(node, slotOf(node, block));
  }

  /** Every index block, for a file that goes or is cut. */
  *loadAll(): Task<void> {
    for (let level = 1; level <= indexLevels; level++) {
      const root = yield* this.#root(level);
      if (root !== undefined) yield* this.#loadBelow(root);
    }
  }

  *#loadBelow(node: Node): Task<void> {
    if (node.level === 1) return;
    for (let slot = 0; slot < pointersPerBlock; slot++) {
      const child = yield* this.#child(node, slot);
      if (child !== undefined) yield* this.#loadBelow(child);
    }
  }

  /** The index blocks that lead to it have been loaded. */
  set(block: number, place: Place): void {
    if (block < directPointers) {
      // Most files have one block: its array has room for no more.
      if (block === 0 && this.#direct.length === 0) this.#direct = [place];
      while (this.#direct.length < block) this.#direct.push(nowhere);
      this.#direct[block] = place;
      return;
    }
    const level = levelOf(block);
    let node = this.#nodes[level - 1];
    if (node === undefined) {
      node = newNode(level, firsts[level] ?? 0);
      this.#nodes = withRoot(this.#nodes, level, node);
    }
    this.#dirty = true;
    node.dirty = true;
    while (node.level > 1) {
      const slot = slotOf(node, block);
      let child: Node | undefined = node.children[slot];
      if (child === undefined) {
        child = newNode(node.level - 1, node.first + slot * span(node.level));
        node.children[slot] = child;
      }
      child.dirty = true;
      node = child;
    }
    node.pointers[slotOf(node, block)] = place;
  }

  /** What the index of that level and first block has as its place, if it is in memory. */
  placeOfIndex(level: number, first: number): Place | undefined {
    return this.#node(level, first)?.place;
  }

  /** Has an index block written again, as the cleaner wants it. */
  rewriteIndex(level: number, first: number): void {
    const wanted = this.#node(level, first);
    if (wanted === undefined) return;
    this.#dirty = true;
    let node = this.#nodes[levelOf(first) - 1];
    for (; node !== undefined; node = node === wanted ? undefined : node.children[slotOf(node, first)])
      node.dirty = true;
  }

  #node(level: number, first: number): Node | undefined {
    if (first < directPointers) return undefined;
    let node = this.#nodes[levelOf(first) - 1];
    while (node !== undefined && node.level > level) node = node.children[slotOf(node, first)];
    return node?.level === level && node.first === first ? node : undefined;
  }

  /**
   * All places of blocks from this one on, and of index blocks that then lead nowhere; they are taken out. All index blocks
   * have been loaded.
   */
  cut(from: number): Place[] {
    const gone: Place[] = [];
    for (let block = from; block < this.#direct.length; block++) {
      const place = this.#direct[block] ?? nowhere;
      if (place !== nowhere) gone.push(place);
      this.#direct[block] = nowhere;
    }
    for (let level = 1; level <= indexLevels; level++) {
      const root = this.#nodes[level - 1];
      if (root === undefined || !this.#cutBelow(root, from, gone)) continue;
      this.#nodes = withRoot(this.#nodes, level, undefined);
      this.#roots = withRoot(this.#roots, level, nowhere);
    }
    return gone;
  }

  /** @returns true when the node leads nowhere any more, and has been given up */
  #cutBelow(node: Node, from: number, gone: Place[]): boolean {
    for (let slot = Math.max(0, slotOf(node, from)); slot < pointersPerBlock; slot++) {
      const child = node.children[slot];
      if (node.level === 1) {
        const place = node.pointers[slot] ?? nowhere;
        if (place === nowhere) continue;
        gone.push(place);
        this.#clear(node, slot);
      } else if (child !== undefined) {
        if (this.#cutBelow(child, from, gone)) this.#clear(node, slot);
        else if (child.dirty) node.dirty = true;
      }
    }
    const empty = node.pointers.every((p) => p === nowhere) && node.children.every((c) => c === undefined);
    if (empty && node.place !== nowhere) gone.push(node.place);
    return empty;
  }

  #clear(node: Node, slot: number): void {
    node.pointers[slot] = nowhere;
    node.children[slot] = undefined;
    node.dirty = true;
    this.#dirty = true;
  }

  /** Every place that the file has, index blocks included; all index blocks have been loaded. */
  places(): readonly Place[] {
    const places = this.#direct.filter((place) => place !== nowhere);
    for (const root of this.#nodes) if (root !== undefined) addPlaces(root, places);
    return places;
  }

  /** Gives every index block that has changed its place in the log, the lowest first. */
  stage(put: StageIndex): void {
    if (!this.#dirty) return;
    for (const [i, root] of this.#nodes.entries())
      if (root?.dirty === true) this.#roots = withRoot(this.#roots, i + 1, this.#stageNode(root, put));
    this.#dirty = false;
  }

  #stageNode(node: Node, put: StageIndex): Place {
    for (const [slot, child] of node.children.entries())
      if (child?.dirty === true) node.pointers[slot] = this.#stageNode(child, put);
    node.place = put(this.#encode(node), node.first, node.level, node.place);
    node.dirty = false;
    return node.place;
  }

  #encode(node: Node): Uint8Array {
    const bytes = new Uint8Array(blockBytes);
    blockHeader.encode(
      {
        magic: indexMagic,
        checksum: 0,
        owner: this.#number,
        generation: this.#generation,
        index: node.first,
        count: node.level,
      },
      bytes,
    );
    for (let slot = 0, at = blockHeader.size; slot < pointersPerBlock; slot++, at += pointer.size)
      putPointer(bytes, at, node.pointers[slot] ?? nowhere);
    return seal(bytes);
  }

  *#root(level: number): Task<Node | undefined> {
    const known = this.#nodes[level - 1];
    const place = this.#roots[level - 1] ?? nowhere;
    if (known !== undefined || place === nowhere) return known;
    const node = yield* this.#read(place, level, firsts[level] ?? 0);
    // Somebody else may have read it meanwhile.
    const there = this.#nodes[level - 1];
    if (there === undefined) this.#nodes = withRoot(this.#nodes, level, node);
    return there ?? node;
  }

  *#child(parent: Node, slot: number): Task<Node | undefined> {
    const known = parent.children[slot];
    const place = parent.pointers[slot] ?? nowhere;
    if (known !== undefined || place === nowhere) return known;
    const node = yield* this.#read(place, parent.level - 1, parent.first + slot * span(parent.level));
    parent.children[slot] ??= node;
    return parent.children[slot];
  }

  *#read(place: Place, level: number, first: number): Task<Node> {
    const { geometry } = this.#source;
    if (!isInSegment(geometry, sectorOf(place), blockSectors)) throw damaged(`index of file ${this.#number}`);
    const bytes = yield* this.#source.log.read(place);
    const h = blockHeader.tryDecode(bytes);
    if (
      h === undefined ||
      bytes.length !== blockBytes ||
      h.magic !== indexMagic ||
      h.owner !== this.#number ||
      h.generation !== this.#generation ||
      h.index !== first ||
      h.count !== level ||
      !isSealed(bytes)
    )
      throw damaged(`index block ${first} of file ${this.#number}`);
    const node = newNode(level, first);
    node.place = place;
    const { get } = pointer;
    for (let slot = 0, at = blockHeader.size; slot < pointersPerBlock; slot++, at += pointer.size)
      if (get.sector(bytes, at) !== 0) node.pointers[slot] = fromPointer(pointer.decode(bytes, at));
    return node;
  }
}

/** Into bytes that are zeros. */
function putPointer(bytes: Uint8Array, at: number, place: Place): void {
  if (place === nowhere) return;
  pointer.set.sector(bytes, at, sectorOf(place));
  pointer.set.sectors(bytes, at, sectorsOf(place));
  pointer.set.form(bytes, at, formOf(place));
}

/** The lists of a file with no index blocks: so it is with most, and nothing is allocated for them. */
const noPlaces: readonly Place[] = [];
const noNodes: readonly undefined[] = [];

/** A list of what there is for each level, with another one for this level. */
function withRoot<T>(roots: readonly T[], level: number, root: T): readonly T[] {
  const changed = [...roots];
  changed[level - 1] = root;
  return changed;
}

const slotOf = (node: Node, block: number): number => Math.floor((block - node.first) / span(node.level));

function newNode(level: number, first: number): Node {
  return {
    level,
    first,
    pointers: new Float64Array(pointersPerBlock),
    children: [],
    place: nowhere,
    dirty: false,
  };
}

function addPlaces(node: Node, places: Place[]): void {
  if (node.place !== nowhere) places.push(node.place);
  if (node.level === 1) {
    for (const place of node.pointers) if (place !== nowhere) places.push(place);
  } else for (const child of node.children) if (child !== undefined) addPlaces(child, places);
}
