import { methodsWithoutGradient } from '../../attribution/registry.ts';
import type { Model } from '../../model/model.ts';
import { gradientUnsupported } from '../../shared/errorCatalog.ts';
import { LoupeError } from '../../shared/errors.ts';

/**
 * Runs something that takes gradients. A model that turns out to have none names the methods that still work: it does not know them.
 * @throws E_GRADIENT_UNSUPPORTED with those methods, and as `run`
 */
export async function namingOtherMethods<T>(model: Model, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof LoupeError) || error.code !== 'E_GRADIENT_UNSUPPORTED') throw error;
    const where = error.parts.details?.where;
    throw gradientUnsupported(typeof where === 'string' ? where : 'this model', error.parts.why, methodsWithoutGradient(model));
  }
}
