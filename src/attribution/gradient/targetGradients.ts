import type { GradientTarget } from '../../model/gradient.ts';
import type { Precision, Tensor } from '../../model/model.ts';
import type { AttributionOptions } from '../method.ts';
import { finiteTensor, gradientOptions, type GradientInput, precisionOf, withoutPlan } from './promptGradient.ts';

const embed = { kind: 'embed' } as const;

/** Floats of gradients that one run may answer with; more targets take more runs. */
const heldFloats = 32 * 1024 * 1024;

interface TargetsRequest {
  readonly sequence: Int32Array;
  readonly targets: readonly GradientTarget[];
  readonly withEmbeddings?: boolean;
}

/**
 * d target / d embedding of many targets on one sequence: a forward pass for as many as fit into memory, and a backward pass each.
 * @param sequence prompt and whatever follows it, [T]
 * @param withEmbeddings also reads what entered the first block
 * @param onTarget told in order: the target's index, its gradient [T, D], and the embeddings [T, D] where they were asked for
 * @throws E_NUMERIC, and as `Model.gradient`
 */
export async function targetGradients(
  input: GradientInput,
  { sequence, targets, withEmbeddings = false }: TargetsRequest,
  onTarget: (index: number, gradient: Tensor, embeddings: () => Tensor) => void,
  options: AttributionOptions,
): Promise<{ readonly precision: Precision; readonly forwardPasses: number }> {
  const perRun = Math.max(1, Math.floor(heldFloats / (sequence.length * input.model.info.hidden)));
  let precision = precisionOf(input);
  let passes = 0;
  for (let first = 0; first < targets.length; first += perRun) {
    const group = targets.slice(first, first + perRun);
    const result = await input.model.gradient(
      { tokens: sequence, targets: group, at: [embed], capture: withEmbeddings ? [embed] : [], precision },
      gradientOptions(first === 0 ? options : withoutPlan(options), () => undefined),
    );
    const embeddings = () => finiteTensor(result.captured, embed, '');
    result.targets.forEach(({ gradients }, index) => {
      onTarget(first + index, finiteTensor(gradients, embed, 'the gradient at '), embeddings);
    });
    const { segments } = result.plan;
    passes += 1 + (segments - 1) / segments + group.length;
    ({ precision } = result);
    options.onProgress?.(first + group.length, targets.length);
  }
  return { precision, forwardPasses: (passes * sequence.length) / input.tokens.length };
}
