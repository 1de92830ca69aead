/** The part of the audit that reads directories: names, the tree that they form, and what files count of them. */

import type { Findings } from '@backplane/file-service';
import { fileTypes } from '@backplane/slots';
import { decodeUtf8 } from '@backplane/wire';
import type { AuditBlocks, FileBlock } from './audit-blocks.ts';
import {
  blockBytes,
  chunkBytes,
  type DescriptorRecord,
  directoryRecord,
  fragmentBytes,
  fragmentsPerBlock,
  rootNumber,
} from './layouts.ts';

interface Entry {
  readonly name: string;
  readonly file: number;
}

export class AuditNames {
  readonly #files: ReadonlyMap<number, DescriptorRecord>;
  readonly #blocks: AuditBlocks;
  readonly #findings: Findings;
  /** Of each object, how many lead to it. */
  readonly #names = new Map<number, number>();
  /** Directory to its subdirectories. */
  readonly #children = new Map<number, number[]>();
  /** Directory to what its ".." leads to. */
  readonly #parents = new Map<number, number>();

  constructor(files: ReadonlyMap<number, DescriptorRecord>, blocks: AuditBlocks, findings: Findings) {
    this.#files = files;
    this.#blocks = blocks;
    this.#findings = findings;
  }

  /** @param directories by number, with their blocks */
  all(directories: ReadonlyMap<number, readonly FileBlock[]>): void {
    for (const [number, blocks] of directories)
      this.#directory(number, this.#files.get(number)?.sizeBytes ?? 0, blocks);
    this.#tree();
    this.#linkCounts();
  }

  #report(kind: string, where: string, text: string, sector?: number): void {
    this.#findings.report(kind, where, text, sector);
  }

  #directory(number: number, sizeBytes: number, blocks: readonly FileBlock[]): void {
    const where = `directory ${number}`;
    if (sizeBytes === 0 || sizeBytes % chunkBytes !== 0) {
      this.#report('directory', where, `its size is ${sizeBytes}`);
      return;
    }
    const names = new Set<string>();
    const first: string[] = [];
    for (const [block, address] of blocks) {
      const bytes = this.#blocks.block(address);
      const from = (address % fragmentsPerBlock) * fragmentBytes;
      const end = Math.min(blockBytes, sizeBytes - block * blockBytes);
      for (let at = 0; at < end; at += chunkBytes)
        for (const e of this.#chunk(where, bytes.subarray(from + at, from + at + chunkBytes), address)) {
          if (block === 0 && at === 0 && first.length < 2) first.push(`${e.name} ${e.file}`);
          if (names.has(e.name)) this.#report('directory', where, `two entries "${e.name}"`);
          names.add(e.name);
          this.#entry(number, where, e);
        }
    }
    if (first[0] !== `. ${number}` || !first[1]?.startsWith('.. '))
      this.#report('directory', where, `it begins with ${first.join(', ')}`);
  }

  #chunk(where: string, chunk: Uint8Array, address: number): Entry[] {
    const entries: Entry[] = [];
    for (let at = 0; at < chunkBytes; ) {
      const r = directoryRecord.tryDecode(chunk, at);
      const used = r !== undefined && r.file !== 0;
      const least = used ? directoryRecord.size + 4 * Math.ceil((r.nameBytes + 1) / 4) : directoryRecord.size;
      if (
        r === undefined ||
        r.recordBytes % 4 !== 0 ||
        r.recordBytes < least ||
        at + r.recordBytes > chunkBytes
      ) {
        const length = r === undefined ? 'no' : r.recordBytes;
        this.#report(
          'directory',
          where,
          `a record of ${length} bytes at ${at} of a chunk`,
          this.#blocks.sector(address),
        );
        break;
      }
      const from = at + directoryRecord.size;
      if (used) entries.push({ name: decodeUtf8(chunk.subarray(from, from + r.nameBytes)), file: r.file });
      at += r.recordBytes;
    }
    return entries;
  }

  #entry(directory: number, where: string, e: Entry): void {
    const file = this.#files.get(e.file);
    if (e.name === '' || e.name.includes('/') || e.name.includes('\0'))
      this.#report('directory', where, `a name "${e.name}"`);
    if (file === undefined) {
      this.#report('entry', where, `"${e.name}" leads to ${e.file}, which is no file`);
      return;
    }
    this.#names.set(e.file, (this.#names.get(e.file) ?? 0) + 1);
    if (e.name === '.') {
      if (e.file !== directory) this.#report('directory', where, `"." leads to ${e.file}`);
    } else if (e.name === '..') this.#parents.set(directory, e.file);
    else if (fileTypes[file.type] === 'directory') {
      const children = this.#children.get(directory);
      if (children === undefined) this.#children.set(directory, [e.file]);
      else children.push(e.file);
    }
  }

  /** Directories form a tree below the root, and ".." leads up in it. */
  #tree(): void {
    const root = this.#files.get(rootNumber);
    if (root === undefined || fileTypes[root.type] !== 'directory') {
      this.#report('root', 'disk', 'there is no root directory');
      return;
    }
    const seen = new Set([rootNumber]);
    const queue = [rootNumber];
    if (this.#parents.get(rootNumber) !== rootNumber)
      this.#report('tree', 'directory 2', '".." of the root leads elsewhere');
    for (const at of queue)
      for (const child of this.#children.get(at) ?? []) {
        if (seen.has(child)) {
          this.#report('tree', `directory ${child}`, 'it has two parents');
          continue;
        }
        seen.add(child);
        queue.push(child);
        if (this.#parents.get(child) !== at)
          this.#report(
            'tree',
            `directory ${child}`,
            `".." leads to ${this.#parents.get(child)}, not to ${at}`,
          );
      }
    for (const [number, d] of this.#files)
      if (fileTypes[d.type] === 'directory' && !seen.has(number))
        this.#report('orphan', `directory ${number}`, 'no name leads to it');
  }

  #linkCounts(): void {
    for (const [number, d] of this.#files) {
      const names = this.#names.get(number) ?? 0;
      if (names === 0) this.#report('orphan', `descriptor ${number}`, 'no name leads to it');
      else if (d.links !== names)
        this.#report('links', `descriptor ${number}`, `counts ${d.links} links; ${names} names lead to it`);
    }
  }
}
