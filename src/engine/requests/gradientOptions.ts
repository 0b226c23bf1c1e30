import type { GradientOptions } from '../../model/gradient.ts';
import type { RequestContext } from '../requestContext.ts';
import { planDetail, planPhase } from './gradientPlan.ts';

/** Options of a gradient whose memory and progress are told as those of the request; `phase` stands until the plan is known. */
export function tellingOptions(
  { signal, progress }: RequestContext,
  phase: string,
): GradientOptions & { readonly signal: AbortSignal } {
  let current = phase;
  return {
    signal,
    onProgress: (done, total) => progress(current, done, total),
    onPlan: (plan) => {
      current = planPhase(plan);
      progress(current, 0, 1, planDetail(plan));
    },
  };
}
