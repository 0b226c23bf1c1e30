import type { OnnxEvaluator } from './evaluator.ts';

/**
 * Tokens a gradient is computed for: the next round length, so that prompts of nearly the same length share one prepared
 * session; steps are small, since every filler is computed like a token. Only for
 * models that read left to right, where what stands behind a prompt changes nothing before it, and whose activations are not
 * quantised over all positions together.
 */
export function paddedLength({ readsLeftToRight, info }: OnnxEvaluator, tokens: number): number {
  if (!readsLeftToRight) return tokens;
  const step = tokens <= 128 ? 4 : tokens <= 512 ? 8 : 16;
  const padded = Math.ceil(tokens / step) * step;
  return padded <= info.contextLength ? padded : tokens;
}
