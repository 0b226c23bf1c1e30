import type { OnnxEvaluator } from './evaluator.ts';

/**
 * Tokens a gradient is computed for: the next round length, so that prompts of similar length share one prepared session. Only for
 * models that read left to right, where what stands behind a prompt changes nothing before it, and whose activations are not
 * quantised over all positions together.
 */
export function paddedLength({ readsLeftToRight, info }: OnnxEvaluator, tokens: number): number {
  if (!readsLeftToRight) return tokens;
  const step = tokens <= 256 ? 16 : tokens <= 512 ? 32 : 64;
  const padded = Math.ceil(tokens / step) * step;
  return padded <= info.contextLength ? padded : tokens;
}
