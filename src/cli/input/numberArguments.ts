/** Strict numbers on the command line: `12abc`, `1e3` for a count, or an empty value are errors that name the option. */
import { InvalidArgumentError } from 'commander';

/** A whole number from `minimum` to `maximum`, both included. */
export function wholeNumber(minimum: number, maximum: number): (value: string) => number {
  return (value) => {
    const number = Number(value);
    if (!/^\d+$/.test(value) || number < minimum || number > maximum) {
      throw new InvalidArgumentError(`It must be a whole number from ${minimum} to ${maximum}.`);
    }
    return number;
  };
}

/** A finite decimal number from `minimum` to `maximum`. */
export function decimalNumber(minimum: number, maximum: number): (value: string) => number {
  return (value) => {
    const number = Number(value);
    if (!/^\d+(\.\d+)?$/.test(value) || number < minimum || number > maximum) {
      throw new InvalidArgumentError(`It must be a number from ${minimum} to ${maximum}.`);
    }
    return number;
  };
}

/** Any finite decimal number; whoever takes it checks its range. */
export function anyNumber(value: string): number {
  if (!/^-?\d+(\.\d+)?$/.test(value)) throw new InvalidArgumentError('It must be a number.');
  return Number(value);
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
