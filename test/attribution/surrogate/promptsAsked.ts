import type { Model } from '../../../src/model/model.ts';
import type { LinearModel } from '../linearModel.ts';

/** Every sequence a linear model was given as a variant. */
export function allPrompts(model: Model): string[] {
  return (model as LinearModel).calls.variants.map((tokens) => tokens.join(' '));
}
