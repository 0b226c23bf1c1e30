import type { Model } from '../../model/model.ts';
import { numeric, siteUnknown } from '../../shared/errorCatalog.ts';

const embed = { kind: 'embed' } as const;

/**
 * What enters the first block for these tokens, without running a block: a derivative that ends at the site it is asked for needs nothing
 * behind it. @returns [T, D] @throws E_NUMERIC, and as `Model.gradient`
 */
export async function embeddingsAlone(model: Model, tokens: Int32Array, signal: AbortSignal): Promise<Float32Array> {
  const values = new Float32Array(tokens.length * model.info.hidden);
  const { captured } = await model.gradient(
    { tokens, targets: [{ kind: 'cotangent', site: embed, values }], at: [embed], capture: [embed] },
    { signal },
  );
  const tensor = captured.get('embed');
  if (tensor === undefined) throw siteUnknown('embed', 'the model did not give it', [...captured.keys()]);
  if (!tensor.data.every(Number.isFinite)) throw numeric('embed');
  return tensor.data;
}
