/**
 * Everything this package throws. Thrown to developers only: bytes from the network or a disk are read with `tryDecode`
 * or a `ByteReader`, which answer instead of throwing.
 */

export type WireErrorCode =
  /** A decode, an accessor or an encode would leave the bytes it was given. */
  | 'WIRE_SHORT'
  /** A value does not fit the field that it was written to. */
  | 'WIRE_RANGE'
  /** A layout was declared wrongly. */
  | 'WIRE_LAYOUT'
  /** A record's content breaks its own rules. */
  | 'WIRE_RECORD'
  /** A text is not the address that it should be. */
  | 'WIRE_TEXT';

export class WireError extends RangeError {
  override readonly name: string = 'WireError';
  readonly code: WireErrorCode;
  /** The layout, or layout and field (`udp.length`), that refused. */
  readonly where: string;
  /** What the message was written from; for `WIRE_SHORT`: `neededBytes` and `availableBytes`. */
  readonly details: Readonly<Record<string, unknown>>;
  /** What to do about it; empty when the message says it all. */
  readonly hint: string;

  constructor(
    code: WireErrorCode,
    where: string,
    message: string,
    details: Readonly<Record<string, unknown>>,
    hint = '',
  ) {
    super(message);
    this.code = code;
    this.where = where;
    this.details = details;
    this.hint = hint;
  }
}

export const tooShort = (where: string, neededBytes: number, availableBytes: number): WireError =>
  new WireError('WIRE_SHORT', where, `${where}: needs ${neededBytes} bytes, ${availableBytes} are there.`, {
    neededBytes,
    availableBytes,
  });

export const outOfRange = (where: string, value: unknown, allowed: string): WireError =>
  new WireError(
    'WIRE_RANGE',
    where,
    `${where}: ${String(value)} is not ${allowed}.`,
    { value, allowed },
    typeof value === 'number' && value < 0 ? 'Bit operators give signed numbers: end with >>> 0.' : '',
  );

export const badLayout = (layout: string, field: string, why: string): WireError =>
  new WireError(
    'WIRE_LAYOUT',
    field === '' ? layout : `${layout}.${field}`,
    `${layout}: ${field === '' ? '' : `${field} `}${why}.`,
    { layout, field, why },
  );

export const badRecord = (record: string, sizeBytes: number): WireError =>
  new WireError('WIRE_RECORD', record, `${record}: ${sizeBytes} bytes do not hold exactly one such record.`, {
    sizeBytes,
  });

export const badText = (what: string, text: string, form: string): WireError =>
  new WireError('WIRE_TEXT', what, `${what}: "${text}" is not of the form ${form}.`, { text, form });
