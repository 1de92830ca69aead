/** The part of the audit that reads directories: names, the tree that they form, and what files count of them. */
import { componentBytesMax } from '@backplane/slots';
import { decodeUtf8, utf8Length } from '@backplane/wire';
import type { AuditedFile } from './audit-map.ts';
import type { FileBlock, PointerParts } from './audit-pointers.ts';
import { blockHeader, directoryMagic, directoryRecord, rootNumber } from './layouts.ts';

export function auditNames(parts: PointerParts, files: ReadonlyMap<number, AuditedFile>): void {
  new NamesAudit(parts, files).all();
}

class NamesAudit {
  readonly #parts: PointerParts;
  readonly #files: ReadonlyMap<number, AuditedFile>;
  /** Of each object, how many names lead to it. */
  readonly #names = new Map<number, number>();
  /** Directory to its subdirectories. */
  readonly #children = new Map<number, number[]>();

  constructor(parts: PointerParts, files: ReadonlyMap<number, AuditedFile>) {
    this.#parts = parts;
    this.#files = files;
  }

  all(): void {
    for (const [number, f] of this.#files) if (f.isDirectory) this.#directory(number, f);
    this.#tree();
    for (const [number, f] of this.#files) this.#links(number, f);
  }

  #report(kind: string, where: string, text: string, sector?: number): void {
    this.#parts.findings.report(kind, where, text, sector);
  }

  #directory(number: number, f: AuditedFile): void {
    const names = new Set<string>();
    for (const b of f.blocks) this.#block(number, f, b, names);
    if (f.unlinked && names.size > 0)
      this.#report('directory', `directory ${number}`, 'it was removed, and has entries');
  }

  #block(
    number: number,
    f: AuditedFile,
    { block, at: { sector, sectors, form } }: FileBlock,
    names: Set<string>,
  ): void {
    const where = `directory ${number}`;
    const bytes = form === 0 ? this.#parts.surface.sealed(sector, sectors, directoryMagic) : null;
    const h = bytes === null ? undefined : blockHeader.decode(bytes);
    if (
      bytes === null ||
      h === undefined ||
      h.owner !== number ||
      h.generation !== f.generation ||
      h.index !== block
    ) {
      this.#report('directory', where, `block ${block} is not valid`, sector);
      return;
    }
    let at = blockHeader.size;
    for (let i = 0; i < h.count; i++) {
      const r = directoryRecord.tryDecode(bytes, at);
      const from = at + directoryRecord.size;
      const end = from + (r?.nameBytes ?? 0);
      if (r === undefined || end > bytes.length) {
        this.#report('directory', where, `block ${block} has room for ${i} of ${h.count} entries`, sector);
        return;
      }
      const name = decodeUtf8(bytes.subarray(from, end));
      if (!isName(name, r.nameBytes))
        this.#report('directory', where, `a name ${JSON.stringify(name)}`, sector);
      if (names.has(name)) this.#report('directory', where, `two entries ${JSON.stringify(name)}`, sector);
      names.add(name);
      this.#entry(number, name, r.file, r.generation, sector);
      at = end;
    }
  }

  #entry(directory: number, name: string, number: number, generation: number, sector: number): void {
    const file = this.#files.get(number);
    if (file === undefined || file.generation !== generation) {
      const what = file === undefined ? 'no file' : `of generation ${file.generation}`;
      const leads = `${JSON.stringify(name)} leads to ${number} of generation ${generation}, which is ${what}`;
      this.#report('entry', `directory ${directory}`, leads, sector);
      return;
    }
    this.#names.set(number, (this.#names.get(number) ?? 0) + 1);
    if (!file.isDirectory) return;
    const children = this.#children.get(directory);
    if (children === undefined) this.#children.set(directory, [number]);
    else children.push(number);
  }

  /** Directories form a tree below the root, and each knows where it is. */
  #tree(): void {
    if (this.#files.get(rootNumber)?.isDirectory !== true) {
      this.#report('root', 'disk', 'there is no root directory');
      return;
    }
    const seen = new Set([rootNumber]);
    const queue = [rootNumber];
    for (const at of queue)
      for (const child of this.#children.get(at) ?? []) {
        const where = `directory ${child}`;
        if (seen.has(child)) {
          this.#report('tree', where, 'two names lead to it');
          continue;
        }
        seen.add(child);
        queue.push(child);
        const parent = this.#files.get(child)?.parent;
        if (parent !== at) this.#report('tree', where, `it is in ${at}, and says ${parent}`);
      }
    for (const [number, f] of this.#files)
      if (f.isDirectory && !f.unlinked && !seen.has(number))
        this.#report('orphan', `directory ${number}`, 'no name leads to it from the root');
  }

  #links(number: number, f: AuditedFile): void {
    const where = `descriptor ${number}`;
    const names = this.#names.get(number) ?? 0;
    if (f.unlinked || (names === 0 && number !== rootNumber)) {
      if (!f.unlinked) this.#report('orphan', where, 'no name leads to it');
      else if (names > 0)
        this.#report('unlinked', where, `${names} names lead to it, and the map has it removed`);
      else if (f.links !== 0) this.#report('links', where, `it counts ${f.links} links, and was removed`);
      return;
    }
    const links = f.isDirectory ? 2 + (this.#children.get(number)?.length ?? 0) : names;
    if (f.links !== links) this.#report('links', where, `it counts ${f.links} links, and has ${links}`);
  }
}

const isName = (name: string, nameBytes: number): boolean =>
  nameBytes > 0 &&
  nameBytes <= componentBytesMax &&
  utf8Length(name) === nameBytes &&
  name !== '.' &&
  name !== '..' &&
  !/[/\0]/.test(name);
