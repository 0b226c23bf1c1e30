/** `--var name=value` and `--method-option key=value`, given as often as needed. */
import { InvalidArgumentError } from 'commander';
import { decimalValue } from './numberArguments.ts';

export function namedText(value: string, before: Readonly<Record<string, string>> = {}): Record<string, string> {
  const [name, text] = split(value);
  return { ...before, [name]: text };
}

export type ParameterValue = string | number | boolean;

/** `true` and `false` are switches, numbers are numbers, anything else is text. */
export function namedParameter(
  value: string,
  before: Readonly<Record<string, ParameterValue>> = {},
): Record<string, ParameterValue> {
  const [name, text] = split(value);
  return { ...before, [name]: parameterValue(text) };
}

function parameterValue(text: string): ParameterValue {
  if (text === 'true' || text === 'false') return text === 'true';
  return decimalValue(text) ?? text;
}

function split(value: string): [string, string] {
  const equals = value.indexOf('=');
  const name = value.slice(0, equals).trim();
  if (equals < 0 || name === '') throw new InvalidArgumentError('It must have the form name=value.');
  // A record is a plain object here: this name would set its prototype.
  if (name === '__proto__') throw new InvalidArgumentError('This name is reserved.');
  return [name, value.slice(equals + 1)];
}
