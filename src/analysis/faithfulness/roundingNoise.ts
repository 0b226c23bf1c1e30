import type { ModelInfo } from '../../model/model.ts';
import type { Explanation } from '../../shared/explanation.ts';

/** What 8-bit activations alone moved a log-probability by, at most, on the reference prompts (docs/faithfulness.md). Nats. */
const quantisedNoise = 0.13;

/** Changes of a target below this may be rounding of a quantised file run as served, in the target's unit; 0 for full precision. */
export function roundingNoise(
  { precision, quantization }: Pick<ModelInfo, 'precision' | 'quantization'>,
  { unit, value }: Pick<Explanation['target'], 'unit' | 'value'>,
): number {
  if (precision !== 'as-served' || /F32|F16/i.test(quantization)) return 0;
  // Not measured for embeddings.
  if (unit === 'cosine') return 0;
  // dp = p · d(log p)
  return unit === 'probability' ? quantisedNoise * Math.abs(value) : quantisedNoise;
}
