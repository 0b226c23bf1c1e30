import type { ResolvedTarget } from '../../attribution/target.ts';
import type { Model } from '../../model/model.ts';
import type { Warning } from '../../shared/explanation.ts';

/**
 * A server tells log-probabilities, which differ from logits by one number a row. A difference of two of one row is the same; a logit
 * by itself is not to be had, and the target says so in its unit.
 */
export function serverLogits(
  { info }: Pick<Model, 'info'>,
  target: ResolvedTarget,
): { readonly target: ResolvedTarget; readonly warnings: readonly Warning[] } {
  const { description } = target;
  if (info.format !== 'remote' || description.unit !== 'logit' || description.kind === 'contrast')
    return { target, warnings: [] };
  return {
    target: { ...target, description: { ...description, unit: 'nat' } },
    warnings: [
      {
        code: 'W_SERVER_LOGITS',
        message: 'The server tells no logits: what is explained is the log-probability, in nats.',
      },
    ],
  };
}
