/** One object: attributes, and by its type bytes or entries. */
import type { FileId, StoredAttributes } from '@backplane/slots';
import { FileBlocks } from './blocks.ts';

export class Node {
  readonly id: FileId;
  attributes: Omit<StoredAttributes, 'sizeBytes'>;
  readonly bytes: FileBlocks = new FileBlocks();
  /** Of a directory: "." and ".." are not among them. */
  readonly entries: Map<string, Node> = new Map();
  /** Of a directory: where ".." leads; the root's own is itself. */
  parent: Node | null = null;

  constructor(id: FileId, attributes: Omit<StoredAttributes, 'sizeBytes'>) {
    this.id = id;
    this.attributes = attributes;
  }

  get isDirectory(): boolean {
    return this.attributes.type === 'directory';
  }

  /** A directory's size is what its entries would take on a disk: 8 bytes and the name, in whole words. */
  get sizeBytes(): number {
    if (!this.isDirectory) return this.bytes.sizeBytes;
    let bytes = 24;
    for (const name of this.entries.keys()) bytes += 8 + Math.ceil((name.length + 1) / 4) * 4;
    return bytes;
  }

  stored(): StoredAttributes {
    return { ...this.attributes, sizeBytes: this.sizeBytes };
  }

  change(change: Partial<Omit<StoredAttributes, 'sizeBytes' | 'type'>>): void {
    this.attributes = { ...this.attributes, ...change };
  }
}
