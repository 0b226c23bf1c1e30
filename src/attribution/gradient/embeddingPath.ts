import type { Model, Tensor } from '../../model/model.ts';
import { numeric, siteUnknown } from '../../shared/errorCatalog.ts';
import { emptyPromptToken } from '../perturbation/emptyPrompt.ts';
import type { AttributionInput, AttributionOptions } from '../method.ts';
import { wholeSequence } from './promptGradient.ts';

/** `end-of-text`: at every prompt position the token that stands between documents. `zero`: nothing at all. */
export type BaselineName = 'end-of-text' | 'zero';

export interface EmbeddingPath {
  /** [T, D]; equal to `to` at the target's own tokens, which are part of neither. */
  readonly from: Tensor;
  /** [T, D] what the prompt's tokens put into the first block. */
  readonly to: Tensor;
  readonly forwardPasses: number;
}

/** Where a path of input embeddings begins and ends. @throws E_NUMERIC, and as `Model.forward` */
export async function embeddingPath(
  input: AttributionInput,
  baseline: BaselineName,
  { signal }: AttributionOptions = {},
): Promise<EmbeddingPath> {
  const tokens = wholeSequence(input);
  const promptLength = input.tokens.length;
  const to = await embeddingsOf(input.model, tokens, signal);
  if (baseline === 'zero') {
    const width = to.data.length / tokens.length;
    const from = to.data.slice();
    from.fill(0, 0, promptLength * width);
    return { from: { shape: to.shape, data: from }, to, forwardPasses: 1 };
  }
  const empty = tokens.slice();
  empty.fill(await emptyPromptToken(input.model.tokenizer), 0, promptLength);
  return { from: await embeddingsOf(input.model, empty, signal), to, forwardPasses: 2 };
}

/** to − from */
export function difference({ from, to }: Pick<EmbeddingPath, 'from' | 'to'>): Tensor {
  return { shape: to.shape, data: to.data.map((value, index) => value - (from.data[index] as number)) };
}

/** What the tokens put into the first block, [T, D]. @throws E_NUMERIC, and as `Model.forward` */
export async function embeddingsOf(model: Model, tokens: Int32Array, signal: AbortSignal | undefined): Promise<Tensor> {
  const { captured, nonFinite } = await model.forward(
    { tokens, capture: [{ site: { kind: 'embed' } }] },
    signal === undefined ? {} : { signal },
  );
  if (nonFinite !== null) throw numeric(nonFinite);
  const tensor = captured.get('embed');
  if (tensor === undefined) throw siteUnknown('embed', 'the model did not give it', [...captured.keys()]);
  return tensor;
}
