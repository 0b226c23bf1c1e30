import type { Model } from '../../model/model.ts';
import { numeric } from '../../shared/errorCatalog.ts';

const sampledTokens = 512;

/**
 * Standard deviation of the numbers of the embedding matrix, from the embeddings of up to 512 tokens spread over the vocabulary. One
 * forward pass. @throws E_NUMERIC, and as `Model.forward`
 */
export async function embeddingSpread(model: Model, signal: AbortSignal): Promise<number> {
  const { vocabulary, contextLength } = model.info;
  const count = Math.min(sampledTokens, vocabulary, contextLength);
  const tokens = Int32Array.from({ length: count }, (_, index) => Math.floor((index * vocabulary) / count));
  const { captured } = await model.forward({ tokens, capture: [{ site: { kind: 'embed' } }] }, { signal });
  const values = captured.get('embed')?.data ?? new Float32Array(0);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const spread = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
  if (!(spread > 0)) throw numeric('the embeddings');
  return spread;
}
