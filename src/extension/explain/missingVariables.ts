import { LoupeError } from '../../shared/errors.ts';

/** The names of the variables a prompt has no value for, when that is what an error says; else null. */
export function missingVariables(thrown: unknown): string[] | null {
  if (!(thrown instanceof LoupeError) || thrown.code !== 'E_VARIABLE_MISSING') return null;
  const names = thrown.parts.details?.['names'];
  if (!Array.isArray(names)) return null;
  const texts = [...new Set(names.filter((name): name is string => typeof name === 'string' && name !== ''))];
  return texts.length === 0 ? null : texts;
}
