/** Attention weighted by the gradient of a target: what the Attention view shows when it is asked what a look did for the answer. */
import { weightedAttention } from '../../attribution/flow/weightedAttention.ts';
import type { Tensor } from '../../model/model.ts';
import { methodUnsupported } from '../../shared/errorCatalog.ts';
import type { AttentionGrid, AttentionWeighting } from '../../shared/protocol/engine.ts';
import type { Token } from '../../shared/tokens.ts';
import { supportedMethods } from '../../attribution/registry.ts';
import type { RequestContext } from '../requestContext.ts';
import { tellingOptions } from './gradientOptions.ts';
import { namingOtherMethods } from './otherMethods.ts';
import type { TokenizedPrompt } from './promptTokens.ts';
import { gradientInput, targetOnPrompt } from './targetOnPrompt.ts';

export interface Weighting {
  /** The prompt's tokens, then those of the response that the target stands on: they attend too. */
  readonly tokens: readonly Token[];
  readonly weightedBy: NonNullable<AttentionGrid['weightedBy']>;
  /** Calls `onLayer` with each layer's attention × gradient, [heads, query, key], signed, in the target's unit. */
  readonly run: (layers: readonly number[], onLayer: (layer: number, weighted: Tensor) => void) => Promise<void>;
}

/** @throws E_METHOD_UNSUPPORTED, as `targetOnPrompt`; `run` as `Model.gradient` */
export async function attentionWeighting(
  context: RequestContext,
  { tokens, ids, text }: TokenizedPrompt,
  request: AttentionWeighting,
): Promise<Weighting> {
  const { model } = context;
  if (!model.info.can.gradient) throw methodUnsupported('weighted attention', 'gradients', supportedMethods(model.info.can));
  const target = await targetOnPrompt(context, ids, request);
  const pieces = await model.tokenizer.pieces([...target.continuation]);
  const forced = pieces.map((piece, index): Token => {
    return { id: target.continuation[index] ?? 0, text: piece, start: text.length, end: text.length, special: false };
  });
  const input = gradientInput(context, tokens, target);
  const { label, unit } = target.description;
  return {
    tokens: [...tokens, ...forced],
    weightedBy: { label, unit },
    run: async (layers, onLayer) => {
      await namingOtherMethods(model, () => weightedAttention(input, layers, onLayer, tellingOptions(context, 'gradient')));
    },
  };
}
