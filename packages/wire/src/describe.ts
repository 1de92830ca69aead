/**
 * Layouts for people and for tools: rows of plain JSON, one for each field, and text made of such rows.
 *
 * Without bytes a row says what a field is; with bytes also what it holds, in the names that the declaration gives.
 */
import type { Field, KindName, LayoutFacts } from './field.ts';
import { asIpv4, formatIpv4 } from './ipv4-address.ts';
import type { Layout } from './layout.ts';
import { asMac, formatMac } from './mac-address.ts';

/** What a field holds, as JSON: bytes in hexadecimal, 64-bit numbers in decimal digits, addresses as people write them. */
export type RowValue = number | string | boolean | readonly RowValue[];

export interface Row {
  /** The field's name; of a field within others `outer.inner` or `outer[2].inner`. */
  readonly path: string;
  /** Bytes from the start of the outermost layout. */
  readonly offset: number;
  /** Bytes. */
  readonly width: number;
  /** See `Field`. */
  readonly bits?: { readonly shift: number; readonly count: number };
  readonly kind: KindName;
  readonly doc: string;
  /** Absent where no bytes were given, or too few, and of reserved fields. */
  readonly value?: RowValue;
  /** The value for people: with names of values and flags. */
  readonly text?: string;
}

/**
 * One row for each field of the record that starts at byte `at`; one for each field of each nested record.
 * Never throws: fields that the bytes do not reach have no value.
 */
export const describe = <T>(layout: Layout<T>, bytes?: Uint8Array, at = 0): readonly Row[] => {
  if (!bytes) return rowsOf(layout, { path: '', offset: 0 });
  const present = bytes.subarray(at, at + layout.size);
  const padded = new Uint8Array(layout.size);
  padded.set(present);
  return rowsOf(
    layout,
    { path: '', offset: 0 },
    { values: layout.decode(padded), availableBytes: present.length },
  );
};

/** Rows in columns: where, name, what it holds (or its kind), what it means. */
export const formatRows = (rows: readonly Row[]): string => {
  const lines = rows.map((row) => [where(row), row.path, row.text ?? row.kind, row.doc]);
  const widths = [0, 1, 2].map((column) => Math.max(0, ...lines.map((line) => (line[column] ?? '').length)));
  return lines
    .map((line) => line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '))
    .map((line) => line.trimEnd())
    .join('\n');
};

interface Place {
  readonly path: string;
  readonly offset: number;
}

/** A decoded record, and how many of the bytes that it was decoded from are real, counted from the outermost layout. */
interface Content {
  readonly values: unknown;
  readonly availableBytes: number;
}

const rowsOf = (layout: LayoutFacts, place: Place, content?: Content): readonly Row[] =>
  layout.fields.flatMap((field) => {
    const path = place.path === '' ? field.name : `${place.path}.${field.name}`;
    return rowsOfField(
      field,
      { path, offset: place.offset + field.offset },
      content && { ...content, values: member(content.values, field.name) },
    );
  });

const rowsOfField = (field: Field, place: Place, content?: Content): readonly Row[] => {
  if (field.layout) return rowsOf(field.layout, place, content);
  const { element } = field;
  if (element && (element.layout || element.element)) {
    return Array.from({ length: field.count ?? 0 }, (_, index) =>
      rowsOfField(
        element,
        { path: `${place.path}[${index}]`, offset: place.offset + index * element.width },
        content && { ...content, values: member(content.values, index) },
      ),
    ).flat();
  }
  return [row(field, place, content)];
};

const row = (field: Field, place: Place, content?: Content): Row => {
  const { width, bits, kind, doc } = field;
  const facts = { ...place, width, ...(bits && { bits }), kind, doc };
  if (!content || kind === 'reserved') return facts;
  if (place.offset + width > content.availableBytes) return { ...facts, text: '(missing)' };
  return { ...facts, value: rowValue(field, content.values), text: rowText(field, content.values) };
};

/** A property of a decoded record or an element of a decoded array, whose types are known to its layout only. */
const member = (values: unknown, key: string | number): unknown =>
  typeof values === 'object' && values !== null ? Reflect.get(values, key) : undefined;

const rowValue = (field: Field, value: unknown): RowValue => {
  if (Array.isArray(value)) return value.map((one) => rowValue(field.element ?? field, one));
  if (value instanceof Uint8Array) return hex(value);
  if (typeof value === 'number') return address(field.kind, value) ?? value;
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  return String(value);
};

const rowText = (field: Field, value: unknown): string => {
  if (Array.isArray(value)) return `[${value.map((one) => rowText(field.element ?? field, one)).join(', ')}]`;
  if (value instanceof Uint8Array) return hex(value);
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'bigint') return digits(field, value);
  if (typeof value !== 'number') return String(value);
  return address(field.kind, value) ?? [digits(field, value), ...meanings(field, value)].join(' ');
};

const address = (kind: KindName, value: number): string | undefined => {
  if (kind === 'mac') return formatMac(asMac(value));
  return kind === 'ipv4' ? formatIpv4(asIpv4(value)) : undefined;
};

const digits = (field: Field, value: number | bigint): string => {
  if (field.base !== 16) return value.toString();
  const count = Math.ceil((field.bits?.count ?? 8 * field.width) / 4);
  return value < 0 ? `-0x${(-value).toString(16)}` : `0x${value.toString(16).padStart(count, '0')}`;
};

/** The name of the value, or the names of its flags joined by bars, with the bits that have no name. */
const meanings = ({ names = {}, flags }: Field, value: number): readonly string[] => {
  const named = Object.keys(names).filter((name) => names[name] === value);
  if (!flags) return named;
  const set = Object.entries(flags).filter(([, mask]) => mask !== 0 && ((value & mask) ^ mask) === 0);
  const rest = set.reduce((left, [, mask]) => left & ~mask, value) >>> 0;
  const parts = [...set.map(([name]) => name), ...(rest === 0 ? [] : [`0x${rest.toString(16)}`])];
  return parts.length === 0 ? named : [...named, parts.join('|')];
};

const hex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

/** `12`, or of bits `6.0+13`: byte, shift, count. */
const where = ({ offset, bits }: Row): string =>
  bits ? `${offset}.${bits.shift}+${bits.count}` : `${offset}`;
