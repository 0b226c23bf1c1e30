/**
 * Path patching (Wang et al. 2022, arXiv 2211.00593, appendix B; Goldowsky-Dill et al. 2023, arXiv 2304.05969): what one part of the
 * model tells another directly. All other ways from the sender to the receiver are held at their values in the base run.
 */
import type { Patch, RowRead, Tensor } from '../../model/model.ts';
import { type LayerSite, type Site, siteName } from '../../model/sites.ts';
import { numeric } from '../../shared/errorCatalog.ts';
import type { LayerActivations } from './activationRows.ts';
import { componentPatch } from './componentPatch.ts';
import { type Component, depth } from './components.ts';
import { type PatchedRun, patchedValues } from './patchedValues.ts';

export const receiverInputs = ['all', 'q', 'k', 'v'] as const;
export type ReceiverInput = (typeof receiverInputs)[number];

export interface PathRequest extends PatchedRun {
  /** Tokens of both runs: prompt and continuation, T in all. */
  readonly tokens: Int32Array;
  /** Activations at `componentSites` of the run that is changed, and of the run the sender's values come from. */
  readonly base: ReadonlyMap<LayerSite, LayerActivations>;
  readonly source: ReadonlyMap<LayerSite, LayerActivations>;
  readonly receiver: Component;
  /** Of a head: which of its inputs hears the sender. */
  readonly input: ReceiverInput;
  /** MLPs between are held as well (the direct path alone), or pass the change on, as Wang et al. have it. */
  readonly mlps: 'frozen' | 'free';
}

/** Senders whose patches are in memory at the same time. */
const atOnce = 16;

/**
 * The target in the base run after each sender's message to the receiver alone is changed.
 * @param senders each before the receiver @returns values [senders] in the target's unit
 * @throws E_NUMERIC, and as `Model.forward`
 */
export async function pathPatching(
  request: PathRequest,
  senders: readonly Component[],
): Promise<{ readonly values: Float64Array; readonly forwardPasses: number }> {
  const values = new Float64Array(senders.length);
  let forwardPasses = 0;
  const frozen = frozenParts(request);
  for (let first = 0; first < senders.length; first += atOnce) {
    const sets: Patch[][] = [];
    for (const sender of senders.slice(first, first + atOnce)) {
      const between = frozen.filter((part) => part.depth > depth(sender, request.model.info.layers));
      const sent = [componentPatch(request.source, sender), ...between.map(({ patch }) => patch)];
      if (request.receiver.kind === 'logits') {
        sets.push(sent);
      } else {
        const received = await receivedOutput(request, sent);
        forwardPasses += received.forwardPasses;
        sets.push([received.patch]);
      }
    }
    const part = await patchedValues(request, sets);
    values.set(part.values, first);
    forwardPasses += part.forwardPasses;
  }
  return { values, forwardPasses };
}

/** Attention blocks and MLPs before the receiver, each with the patch that holds it at the base run. */
function frozenParts({ model, base, receiver, mlps }: PathRequest): { readonly depth: number; readonly patch: Patch }[] {
  const { layers } = model.info;
  const until = depth(receiver, layers);
  return Array.from({ length: layers }, (_, layer) =>
    (['attn', 'mlp'] as const).map((kind): Component => ({ kind, layer, head: -1 })),
  )
    .flat()
    .filter((part) => depth(part, layers) < until && (part.kind === 'attn' || mlps === 'frozen'))
    .map((part) => ({ depth: depth(part, layers), patch: componentPatch(base, part) }));
}

/**
 * What the receiver gives when only its input from the sender has changed, as a patch for the base run. For one of q, k and v of a head
 * a second run puts the changed projection into the base run and takes only this head's z of it: k and v can belong to several heads.
 */
async function receivedOutput(
  request: PathRequest,
  sent: readonly Patch[],
): Promise<{ readonly patch: Patch; readonly forwardPasses: number }> {
  const { receiver, input } = request;
  const { layer, kind } = receiver;
  if (kind !== 'head') {
    const site: Site = { kind: kind === 'mlp' ? 'mlp_out' : 'attn_out', layer };
    const output = await captured(request, site, sent);
    return { patch: { site, operation: { kind: 'overwrite', values: output.data } }, forwardPasses: 1 };
  }
  if (input === 'all') return { patch: headOf(await captured(request, { kind: 'z', layer }, sent), receiver), forwardPasses: 1 };
  const site: Site = { kind: input, layer };
  const heard = await captured(request, site, sent);
  const patch: Patch = { site, operation: { kind: 'overwrite', values: heard.data } };
  return { patch: headOf(await captured(request, { kind: 'z', layer }, [patch]), receiver), forwardPasses: 2 };
}

async function captured({ model, tokens, signal }: PathRequest, site: Site, patches: readonly Patch[]): Promise<Tensor> {
  // A row of logits is read so that nothing of the last layer is left out.
  const read: RowRead[] = [{ position: tokens.length - 1, ids: [] }];
  const result = await model.forward({ tokens, read, patches, capture: [{ site }] }, { signal });
  const tensor = result.captured.get(siteName(site));
  if (result.nonFinite !== null || tensor === undefined) throw numeric(result.nonFinite ?? siteName(site));
  return tensor;
}

/** @param z [T, H, S] */
function headOf(z: Tensor, { layer, head }: Component): Patch {
  const [length = 0, heads = 1, width = 0] = z.shape;
  const values = new Float32Array(length * width);
  for (let position = 0; position < length; position++) {
    const start = (position * heads + head) * width;
    values.set(z.data.subarray(start, start + width), position * width);
  }
  return { site: { kind: 'z', layer }, heads: [head], operation: { kind: 'overwrite', values } };
}

/** The target in the base run with the sender changed and everything behind it free: what all its paths do together. */
export function totalEffects(
  request: PathRequest,
  senders: readonly Component[],
): Promise<{ readonly values: Float64Array; readonly forwardPasses: number }> {
  return patchedValues(
    request,
    senders.map((sender) => [componentPatch(request.source, sender)]),
  );
}
