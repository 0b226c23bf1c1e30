/** Errors of questions that a kind of model has no answer to. */
import { LoupeError } from './errors.ts';

export const classUnknown = (name: string, labels: readonly string[]) =>
  new LoupeError({
    code: 'E_CLASS_UNKNOWN',
    kind: 'input',
    what: `the model knows no class ${JSON.stringify(name)}`,
    why: 'its classes have other names',
    action: `use one of: ${labels.slice(0, 40).join(', ')}`,
    details: { name, labels },
  });

/** A question that this kind of model has no answer to: a class of a language model, the next token of a classifier. */
export const outputKind = (asked: string, why: string, action: string) =>
  new LoupeError({ code: 'E_OUTPUT_KIND', kind: 'input', what: `${asked} cannot be had from this model`, why, action });
