/** Numbers as views and pages write them: a real minus sign (U+2212), and no minus before a zero. Files for machines do not use this. */

/** `−1.50`; the same digits as `Number.toFixed`. */
export function fixedText(value: number, digits: number): string {
  return withMinus(value, Math.abs(value).toFixed(digits));
}

/** `−0.0312`, `−1.2e+5`; the same digits as `Number.toPrecision`. */
export function preciseText(value: number, digits: number): string {
  return withMinus(value, Math.abs(value).toPrecision(digits));
}

/** `−0.03`, `−1e−7`: as many digits as are needed to tell the number. */
export function plainText(value: number): string {
  return withMinus(value, String(Math.abs(value)));
}

/** @param magnitude the number's size in digits; an exponent may have a sign of its own */
function withMinus(value: number, magnitude: string): string {
  const text = magnitude.replace('e-', 'e−');
  return value < 0 && Number(magnitude) !== 0 ? `−${text}` : text;
}
