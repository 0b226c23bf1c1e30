/**
 * Strict numbers on the command line: `12abc`, hexadecimal digits, `Infinity` or an empty value are errors that name the option. Decimal
 * numbers are written as in JSON or most languages: `0.5`, `.5`, `-1e-3`, `1e9`.
 */
import { InvalidArgumentError } from 'commander';

const decimal = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** The number that a text writes in decimal; null for anything else, and for one too large to hold. */
export function decimalValue(text: string): number | null {
  const value = Number(text);
  return decimal.test(text) && Number.isFinite(value) ? value : null;
}

/** A whole number from `minimum` to `maximum`, both included; `2e3` is one. */
export function wholeNumber(minimum: number, maximum: number): (value: string) => number {
  return (value) => {
    const number = decimalValue(value);
    if (number === null || !Number.isInteger(number) || number < minimum || number > maximum) {
      throw new InvalidArgumentError(`It must be a whole number from ${minimum} to ${maximum}.`);
    }
    return number;
  };
}

/** A finite decimal number from `minimum` to `maximum`. */
export function decimalNumber(minimum: number, maximum: number): (value: string) => number {
  return (value) => {
    const number = decimalValue(value);
    if (number === null || number < minimum || number > maximum) {
      throw new InvalidArgumentError(`It must be a number from ${minimum} to ${maximum}.`);
    }
    return number;
  };
}

/** Any finite decimal number; whoever takes it checks its range. */
export function anyNumber(value: string): number {
  const number = decimalValue(value);
  if (number === null) throw new InvalidArgumentError('It must be a number, such as 12, 0.5 or 1e-3.');
  return number;
}

/** `1,2,3`: token ids or layers, at least one. */
export function wholeNumberList(maximum: number): (value: string) => number[] {
  const one = wholeNumber(0, maximum);
  return (value) => {
    try {
      return value.split(',').map((part) => one(part.trim()));
    } catch {
      throw new InvalidArgumentError(`It must be whole numbers from 0 to ${maximum}, separated by commas.`);
    }
  };
}
