/** Where the tensors of a capture come from: a plain forward pass, or one with a backward pass behind it. */
import { promptGradient } from '../../attribution/gradient/promptGradient.ts';
import { withContinuation } from '../../attribution/perturbation/evaluateSequences.ts';
import type { TensorEntry } from '../../analysis/safetensors.ts';
import { siteShape } from '../../analysis/siteShape.ts';
import { supportedMethods } from '../../attribution/registry.ts';
import { siteName, type Site } from '../../model/sites.ts';
import { methodUnsupported, numeric, siteUnknown } from '../../shared/errorCatalog.ts';
import type { CaptureToFileRequest } from '../../shared/protocol/engine.ts';
import type { RequestContext } from '../requestContext.ts';
import { tellingOptions } from './gradientOptions.ts';
import { namingOtherMethods } from './otherMethods.ts';
import type { TokenizedPrompt } from './promptTokens.ts';
import { gradientInput, targetOnPrompt } from './targetOnPrompt.ts';

/** The tensors of one site: its activations and, where asked for, the derivative of the target there. */
export interface SiteTensors {
  readonly site: Site;
  readonly entries: readonly TensorEntry[];
}

export interface CaptureSource {
  readonly sites: readonly SiteTensors[];
  /** For the file's header; known once the first group has been read. */
  metadata(): Readonly<Record<string, string>>;
  /** The tensors of some sites by name. */
  read(group: readonly SiteTensors[]): Promise<ReadonlyMap<string, Float32Array>>;
}

/** Activations of the prompt. */
export function activations({ model, signal }: RequestContext, sites: readonly Site[], { ids }: TokenizedPrompt): CaptureSource {
  return {
    sites: sites.map((site) => ({ site, entries: [{ name: siteName(site), shape: siteShape(site, model.info, ids.length) }] })),
    metadata: () => ({ precision: model.info.precision, tokens: JSON.stringify(Array.from(ids)) }),
    read: async (group) => {
      const { captured, nonFinite } = await model.forward(
        { tokens: ids, capture: group.map(({ site }) => ({ site })) },
        { signal },
      );
      if (nonFinite !== null) throw numeric(nonFinite);
      return new Map([...captured].map(([name, { data }]) => [name, data]));
    },
  };
}

/**
 * Activations of prompt and teacher-forced target tokens, and the target's derivative at the same sites.
 * @throws E_METHOD_UNSUPPORTED, E_SITE_UNKNOWN for the logits, and as `targetOnPrompt`; `read` as `promptGradient`
 */
export async function withGradients(
  context: RequestContext,
  sites: readonly Site[],
  { tokens, ids }: TokenizedPrompt,
  request: NonNullable<CaptureToFileRequest['gradients']>,
): Promise<CaptureSource> {
  const { model } = context;
  if (!model.info.can.gradient) throw methodUnsupported('capture --gradients', 'gradients', supportedMethods(model.info.can));
  if (sites.some(({ kind }) => kind === 'logits')) {
    throw siteUnknown('grad.logits', 'a derivative by the logits is the target itself', ['final_norm', 'resid_post.LAYER']);
  }
  const target = await targetOnPrompt(context, ids, request);
  const sequence = withContinuation(ids, target.continuation);
  const input = gradientInput(context, tokens, target, request.precision);
  let known = { value: Number.NaN, precision: request.precision };
  return {
    sites: sites.map((site) => {
      const shape = siteShape(site, model.info, sequence.length);
      const name = siteName(site);
      return { site, entries: [name, `grad.${name}`].map((entry) => ({ name: entry, shape })) };
    }),
    metadata: () => ({
      precision: known.precision,
      tokens: JSON.stringify(Array.from(sequence)),
      prompt_tokens: String(ids.length),
      target: JSON.stringify({ ...target.description, value: known.value }),
      target_value: String(known.value),
    }),
    read: async (group) => {
      const at = group.map(({ site }) => site);
      const result = await namingOtherMethods(model, () =>
        promptGradient(input, { at, capture: at }, tellingOptions(context, 'gradient')),
      );
      known = result;
      return new Map(
        at.flatMap((site): [string, Float32Array][] => [
          [siteName(site), result.captured(site).data],
          [`grad.${siteName(site)}`, result.gradient(site).data],
        ]),
      );
    },
  };
}
