import { topLogits } from './rowSummary.ts';

/**
 * Chooses the next token. Temperature 0 takes the most likely one (of equals the smallest id); above it, `random` in [0, 1)
 * picks from softmax(logits / temperature) over the whole vocabulary, ids in order. `logits`: [vocabulary], finite
 */
export function sampleToken(logits: Float32Array, temperature: number, random: () => number): number {
  const [best] = topLogits(logits, 1);
  const greedy = best?.id ?? 0;
  if (best === undefined || temperature <= 0) return greedy;
  const maximum = best.logit;
  let total = 0;
  for (const logit of logits) total += Math.exp((logit - maximum) / temperature);
  let left = random() * total;
  for (let id = 0; id < logits.length; id++) {
    left -= Math.exp(((logits[id] ?? 0) - maximum) / temperature);
    if (left < 0) return id;
  }
  // Rounding may leave a sliver beyond the last token.
  return greedy;
}
