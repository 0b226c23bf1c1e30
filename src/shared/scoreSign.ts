/** Whether a method's scores say for or against, or only how much. */
import type { Explanation } from './explanation.ts';

/** False for methods whose scores are sizes: never below zero, and no word "against" the answer. */
export function hasSign({ id, parameters, signed }: Pick<Explanation['method'], 'id' | 'parameters' | 'signed'>): boolean {
  if (signed !== undefined) return signed;
  // Explanations written before methods said it themselves.
  if (id === 'attention-x-gradient') return parameters['aggregation'] === 'signed';
  return id !== 'saliency' && id !== 'attention';
}
