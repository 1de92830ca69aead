/**
 * Finds each field of a declaration its place.
 *
 * All are counted off in bits, one after another. A field of whole bytes has to begin at one; a bit field gets as container
 * the whole bytes that it touches, so that the containers of neighbours may share bytes.
 */
import { badLayout } from './errors.ts';
import type { Accessor, AnyKind, Endian, Field, KindFacts } from './field.ts';

/** A field that records show: its name, place and accessor. */
interface Member extends Accessor<unknown, never> {
  readonly name: string;
  readonly offset: number;
}

export interface Placement {
  readonly fields: readonly Field[];
  readonly members: readonly Member[];
  /** To the end of the last field. */
  readonly sizeBytes: number;
  /** Some bits within belong to no member, and have to be written as zero. */
  readonly sparse: boolean;
}

export const placeFields = (
  layout: string,
  kinds: Readonly<Record<string, AnyKind>>,
  endian: Endian,
): Placement => {
  const fields: Field[] = [];
  const members: Member[] = [];
  /** To the end of the last field so far. */
  let endBits = 0;
  let sparse = false;

  for (const [name, kind] of Object.entries(kinds)) {
    checkDeclaration(layout, name, kind);
    if (!kind.packed || kind.at !== undefined) {
      checkWhole(layout, name, endBits);
      const next = 8 * (kind.at ?? endBits / 8);
      if (next < endBits) throw badLayout(layout, name, `at ${kind.at} overlaps the field before it`);
      sparse ||= next > endBits;
      endBits = next;
    }
    const field = kind.packed
      ? bitField(layout, name, kind, endian, endBits)
      : wholeField(name, kind, endian, endBits / 8);
    endBits += kind.widthBits;
    fields.push(field);
    if (kind.kind === 'reserved') {
      sparse = true;
      continue;
    }
    const { offset, width, bits } = field;
    const spot = { offset, width, shift: bits?.shift ?? 0, endian: field.endian, where: `${layout}.${name}` };
    members.push({ name, offset, ...kind.place(spot) });
  }
  checkWhole(layout, '', endBits);
  return { fields, members, sizeBytes: endBits / 8, sparse };
};

/** The first of its bits is number `from`, counted from the start of the layout. */
const bitField = (layout: string, name: string, kind: AnyKind, endian: Endian, from: number): Field => {
  const count = kind.widthBits;
  const first = Math.floor(from / 8);
  const width = Math.floor((from + count - 1) / 8) - first + 1;
  if (width > 4) throw badLayout(layout, name, 'touches more than four bytes; order the bits otherwise');
  const before = from - 8 * first;
  const shift = endian === 'little' ? before : 8 * width - before - count;
  return { ...facts(kind), name, offset: first, width, endian, bits: { shift, count } };
};

const wholeField = (name: string, kind: AnyKind, layoutEndian: Endian, offset: number): Field => {
  const endian = kind.endian ?? layoutEndian;
  const element = kind.element && wholeField('[]', kind.element, endian, 0);
  return { ...facts(kind), name, offset, width: kind.widthBits / 8, endian, ...(element && { element }) };
};

const facts = ({ kind, doc, names, flags, base, count, layout }: AnyKind): KindFacts => ({
  kind,
  doc,
  ...(names && { names }),
  ...(flags && { flags }),
  ...(base && { base }),
  ...(count !== undefined && { count }),
  ...(layout && { layout }),
});

const checkDeclaration = (layout: string, name: string, kind: AnyKind): void => {
  // Integer-like keys would leave the order of declaration, and `__proto__` is no field.
  if (!/^[a-z][A-Za-z0-9]*$/.test(name)) throw badLayout(layout, name, 'is not a camelCase name');
  const { widthBits, at } = kind;
  if (!Number.isInteger(widthBits) || widthBits < 1) throw badLayout(layout, name, 'has no width');
  if (kind.packed && widthBits > 32) throw badLayout(layout, name, 'has more than 32 bits');
  if (at !== undefined && !(Number.isInteger(at) && at >= 0)) {
    throw badLayout(layout, name, `cannot be placed at ${at}`);
  }
};

const checkWhole = (layout: string, next: string, endBits: number): void => {
  if (endBits % 8 === 0) return;
  const where = next === '' ? 'at its end' : `before ${next}`;
  throw badLayout(layout, '', `${where} has bits that do not fill whole bytes: ${endBits % 8} too many`);
};
