/**
 * Logarithm, exponential and power with the same bits on every machine.
 *
 * The language leaves the last bits of Math.log, Math.exp and Math.pow to the engine. These use only + - * /, integer
 * operations and comparisons, which IEEE 754 defines to the last bit; the error stays below one unit in the last place.
 *
 * Method (argument reduction and forms of evaluation as in FDLIBM, Sun Microsystems 1993; the series are the textbook
 * ones, long enough for the reduced interval):
 *   ln    x = 2^k m with m in [sqrt 1/2, sqrt 2); ln m = 2 artanh s = 2 (s + s^3/3 + s^5/5 + ...), s = (m-1)/(m+1)
 *   exp   x = k ln 2 + r with |r| <= ln 2 / 2; e^r = 1 + 2r / (r coth(r/2) - r), the coth by its Bernoulli series
 *   pow   exp(y ln x), the logarithm and the product as sums of two doubles (Dekker 1971): some 70 bits
 */

/** ln 2 in two parts: the first has 21 zero bits at its end, so that k times it is exact for every exponent k. */
const LN2_HIGH = 0.6931471803691238;
const LN2_LOW = 1.9082149292705877e-10;

const NORMAL_MIN = 2.2250738585072014e-308;
const TWO_POW_54 = 18014398509481984;
/** Beyond these e^x is Infinity, or 0. */
const EXP_MAX = 709.782712893384;
const EXP_MIN = -745.1332191019411;

/** One double as bits. Scratch: holds nothing between calls. */
const bits: DataView = new DataView(new ArrayBuffer(8));

/** 2^k for a normal result: -1022 <= k <= 1023. */
function powerOfTwo(k: number): number {
  bits.setInt32(0, (k + 1023) << 20);
  bits.setInt32(4, 0);
  return bits.getFloat64(0);
}

/** k of x = 2^k m with m in [sqrt 1/2, sqrt 2) (to six digits, which is enough), for finite x > 0. */
function exponent(x: number): number {
  if (x < NORMAL_MIN) return exponent(x * TWO_POW_54) - 54;
  bits.setFloat64(0, x);
  const high = bits.getInt32(0);
  return (high >> 20) - 1023 + (((high & 0xfffff) + 0x95f61) >> 20); // carries when m >= sqrt 2
}

/** m of x = 2^k m, exactly. Near 1 without the detour over `bits`, which costs as much as all the rest of ln. */
function significand(x: number, k: number): number {
  if (k <= 0 && k >= -30) return x * (1 << -k);
  if (k > 0 && k <= 30) return x / (1 << k);
  return x < NORMAL_MIN ? scale(x * TWO_POW_54, -k - 54) : scale(x, -k);
}

/** x times 2^k, rounded once. */
function scale(x: number, k: number): number {
  if (k > 1023) return x * 2 * powerOfTwo(k - 1);
  if (k < -1021) return (x * powerOfTwo(k + 54)) / TWO_POW_54;
  return x * powerOfTwo(k);
}

/** Natural logarithm. NaN below 0, -Infinity at 0. */
export function ln(x: number): number {
  if (!(x > 0 && x < Infinity)) return x === 0 ? -Infinity : x > 0 ? x : Number.NaN;
  const k = exponent(x);
  const f = significand(x, k) - 1; // exact
  const s = f / (2 + f);
  const z = s * s;
  const tail = z * (2 / 3 + z * (2 / 5 + z * artanhTail(z)));
  // 2s = f - f^2/2 + s f^2/2: f is exact, so the rounding errors are those of the small terms
  const half = 0.5 * f * f;
  return k * LN2_HIGH - (half - (s * (half + tail) + k * LN2_LOW) - f);
}

/**
 * 2/7 + 2 z/9 + 2 z^2/11 + ..., for z up to 0.0295: the first term left out is below 2^-70. Even and odd terms are
 * summed apart, as two short chains of operations that the processor can overlap.
 */
function artanhTail(z: number): number {
  const w = z * z;
  const even = 2 / 7 + w * (2 / 11 + w * (2 / 15 + w * (2 / 19 + w * (2 / 23))));
  const odd = 2 / 9 + w * (2 / 13 + w * (2 / 17 + w * (2 / 21 + w * (2 / 25))));
  return even + z * odd;
}

/** e^x. */
export function exp(x: number): number {
  return expOfSum(x, 0);
}

/** e^(x + small), small below half a unit in the last place of x. */
function expOfSum(x: number, small: number): number {
  if (!(x <= EXP_MAX)) return x > 0 ? Infinity : x;
  if (x < EXP_MIN) return 0;
  const k = Math.floor(x * Math.LOG2E + 0.5);
  const high = x - k * LN2_HIGH; // exact
  const low = k * LN2_LOW - small;
  const r = high - low;
  const z = r * r;
  const c = r - z * cothSeries(z);
  return scale(1 - (low - (r * c) / (2 - c) - high), k);
}

/** (r coth(r/2) - 2) / z by 2 B(2n) z^(n-1) / (2n)!, for z = r^2 up to 0.121. */
function cothSeries(z: number): number {
  const far = -1 / 604800 + z * (1 / 23950080 + z * (-691 / 653837184000 + z * (1 / 37362124800)));
  return 1 / 6 + z * (-1 / 360 + z * (1 / 15120 + z * far));
}

/** x to the power y, special cases as in the language. Exact when the result is a small integer. */
export function pow(x: number, y: number): number {
  if (y === 0) return 1;
  if (Number.isNaN(x) || Number.isNaN(y)) return Number.NaN;
  const base = Math.abs(x);
  if (y === Infinity || y === -Infinity) return base === 1 ? Number.NaN : base > 1 === y > 0 ? Infinity : 0;
  if (x < 0 && base < Infinity && Math.floor(y) !== y) return Number.NaN;
  const negative = (x < 0 || Object.is(x, -0)) && Math.abs(y % 2) === 1;
  const result =
    base === 0 || base === Infinity ? ((base === 0) === y < 0 ? Infinity : 0) : powOfPositive(base, y);
  return negative ? -result : result;
}

/** For finite x > 0. A value with suffix Low is what its companion lacks: the two together are the number. */
function powOfPositive(x: number, y: number): number {
  if (x === 1) return 1;
  const k = exponent(x);
  const m = significand(x, k);
  const f = m - 1;

  // s = f / (m + 1)
  const d = m + 1;
  const dLow = m - (d - 1);
  const s = f / d;
  const sd = s * d;
  const sLow = (f - sd - productError(s, d, sd) - s * dLow) / d;

  // z = s^2
  const z = s * s;
  const zLow = productError(s, s, z) + 2 * s * sLow;

  // u = 1/5 + z/7 + ...
  const t = 0.5 * z * artanhTail(z);
  const u = 0.2 + t;
  const uLow = 0.2 - u + t + FIFTH_LOW;

  // v = 1/3 + z u
  const zu = z * u;
  const v = THIRD + zu;
  const vLow = THIRD - v + zu + (productError(z, u, zu) + z * uLow + zLow * u + THIRD_LOW);

  // q = s z v
  const zv = z * v;
  const zvLow = productError(z, v, zv) + z * vLow + zLow * v;
  const q = s * zv;
  const qLow = productError(s, zv, q) + s * zvLow + sLow * zv;

  // ln m = 2 (s + q)
  const lnM = 2 * (s + q);
  const lnMLow = 2 * (s - (s + q) + q + (sLow + qLow));

  // ln x = k ln 2 + ln m
  const whole = k * LN2_HIGH; // exact, and not smaller than ln m unless 0
  const sum = whole + lnM;
  const rest = (k === 0 ? 0 : whole - sum + lnM) + (lnMLow + k * LN2_LOW);
  const lnX = sum + rest;
  const lnXLow = sum - lnX + rest;

  const p = y * lnX;
  if (!(Math.abs(p) < 1000)) return p > 0 ? Infinity : 0;
  return expOfSum(p, productError(y, lnX, p) + y * lnXLow);
}

const THIRD = 0.3333333333333333;
const THIRD_LOW = 1.850371707708594e-17;
const FIFTH_LOW = -1.1102230246251566e-17;

/** a b - p, exactly, where p is the rounded product: halves of 26 bits multiply without error (Veltkamp, Dekker). */
function productError(a: number, b: number, p: number): number {
  const ca = SPLITTER * a;
  const aHigh = ca - (ca - a);
  const aLow = a - aHigh;
  const cb = SPLITTER * b;
  const bHigh = cb - (cb - b);
  const bLow = b - bHigh;
  return aHigh * bHigh - p + aHigh * bLow + aLow * bHigh + aLow * bLow;
}

const SPLITTER = 134217729; // 2^27 + 1
