/** Numbers as the panels write them. A real minus sign, and a sign always where the sign carries meaning. */

const minus = '\u2212';

/** Fixed digits with a real minus sign; `NaN` and infinities stay readable. */
export function formatNumber(value: number, digits = 2): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '∞' : `${minus}∞`;
  const text = Math.abs(value).toFixed(digits);
  return value < 0 && Number(text) !== 0 ? minus + text : text;
}

/** As {@link formatNumber}, with `+` before a positive number. */
export function formatSigned(value: number, digits = 2): string {
  const text = formatNumber(value, digits);
  return value > 0 && Number(text) !== 0 ? `+${text}` : text;
}

/** A number whose size is not known beforehand, with this many significant digits: `0.00412`, `12.3`, `1234`. */
export function formatSignificant(value: number, digits = 3): string {
  const magnitude = Math.abs(value);
  if (!Number.isFinite(value) || magnitude >= 10 ** (digits - 1)) return formatNumber(value, 0);
  const text = magnitude === 0 ? '0' : magnitude.toPrecision(digits);
  return value < 0 ? minus + text : text;
}

/** A score: two decimals, or two significant digits where those would read 0.00. `+` only where scores have a sign. */
export function formatScore(value: number, hasSign: boolean): string {
  const magnitude = Math.abs(value);
  const text = magnitude > 0 && magnitude < 0.1 ? formatSignificant(value, 2) : formatNumber(value);
  return hasSign && value > 0 ? `+${text}` : text;
}

/** A share of one as per cent: `77 %`, `0.3 %`, `< 0.1 %`. */
export function formatShare(share: number): string {
  if (!Number.isFinite(share)) return formatNumber(share);
  const percent = share * 100;
  if (percent > 0 && percent < 0.1) return '< 0.1 %';
  if (percent > 99.9 && percent < 100) return '> 99.9 %';
  return `${percent.toFixed(percent > 0 && percent < 9.95 ? 1 : 0)} %`;
}

/** A part of a whole that has a sign: `+12.3 %`, `−4.0 %`; `+` only where parts have a sign. */
export function formatPart(part: number, hasSign: boolean): string {
  const text = formatNumber(100 * part, 1);
  return `${hasSign && part > 0 ? '+' : ''}${text} %`;
}

/** Milliseconds as the reader's unit: `640 ms`, `3.2 s`, `2 min 5 s`. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`;
  const seconds = milliseconds / 1000;
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)} min ${whole % 60} s`;
}
