import { finiteTensor } from '../../attribution/gradient/promptGradient.ts';
import { withContinuation } from '../../attribution/perturbation/evaluateSequences.ts';
import type { ResolvedTarget } from '../../attribution/target.ts';
import type { Model, Patch, Tensor } from '../../model/model.ts';
import type { Site } from '../../model/sites.ts';
import { numeric } from '../../shared/errorCatalog.ts';
import { callOptions, captureSites } from '../activations/captureSites.ts';

export interface NeuronName {
  readonly layer: number;
  readonly neuron: number;
}

/** A neuron where it is strongest: at one position, or summed over all. */
export interface NeuronEffect extends NeuronName {
  /** Where it is most active, of the positions that were asked for. */
  readonly position: number;
  readonly activation: number;
  /** Activation × derivative of the target by it, over those positions, in the target's unit; null where there are no gradients. */
  readonly effect: number | null;
}

/** Floats of activations and gradients held at once. */
const heldFloats = 64 * 1024 * 1024;

export interface NeuronQuestion {
  readonly ids: Int32Array;
  readonly target: ResolvedTarget;
  /** Positions that count. */
  readonly positions: readonly number[];
  readonly rankBy: 'effect' | 'activation';
  readonly count: number;
}

/**
 * The neurons that matter most, strongest first: by activation × gradient (one forward and one backward pass), or by the size of their
 * activation. A few layers at a time, so that long prompts fit.
 * @returns `count` neurons, and what they cost in forward passes
 * @throws as `Model.gradient` and `captureSites`
 */
export async function strongestNeurons(
  model: Model,
  { ids, target, positions, rankBy, count }: NeuronQuestion,
  options: { readonly signal?: AbortSignal; readonly onLayer?: (done: number, total: number) => void } = {},
): Promise<{ readonly neurons: NeuronEffect[]; readonly forwardPasses: number }> {
  const { layers, neurons: width } = model.info;
  const tokens = withContinuation(ids, target.continuation);
  const perPass = Math.max(1, Math.floor(heldFloats / (2 * tokens.length * width)));
  const strength = (neuron: NeuronEffect) => Math.abs(rankBy === 'effect' ? (neuron.effect ?? 0) : neuron.activation);
  let best: NeuronEffect[] = [];
  let forwardPasses = 0;
  for (let first = 0; first < layers; first += perPass) {
    const sites = Array.from(
      { length: Math.min(perPass, layers - first) },
      (_, index): Site => ({ kind: 'mlp_post', layer: first + index }),
    );
    const read = model.info.can.gradient ? withGradient : withoutGradient;
    const at = await read(model, tokens, sites, target.gradient(ids.length), options.signal);
    forwardPasses += model.info.can.gradient ? 3 : 1;
    for (const [index, site] of sites.entries()) {
      const { values, slopes } = at(site);
      const found = effectsIn(values, slopes, { layer: first + index, width, positions });
      best = [...best, ...found].sort((a, b) => strength(b) - strength(a)).slice(0, count);
    }
    options.onLayer?.(first + sites.length, layers);
  }
  return { neurons: best, forwardPasses };
}

/**
 * One neuron, told as {@link strongestNeurons} tells its finds: a forward and, where the model gives gradients, a backward pass.
 * @throws as `Model.gradient` and `captureSites`
 */
export async function neuronEffect(
  model: Model,
  { ids, target, positions }: Pick<NeuronQuestion, 'ids' | 'target' | 'positions'>,
  { layer, neuron }: NeuronName,
  signal?: AbortSignal,
): Promise<{ readonly neurons: NeuronEffect[]; readonly forwardPasses: number }> {
  const tokens = withContinuation(ids, target.continuation);
  const site: Site = { kind: 'mlp_post', layer };
  const read = model.info.can.gradient ? withGradient : withoutGradient;
  const at = await read(model, tokens, [site], target.gradient(ids.length), signal);
  const { values, slopes } = at(site);
  const found = effectsIn(values, slopes, { layer, width: model.info.neurons, positions })[neuron];
  return { neurons: found === undefined ? [] : [found], forwardPasses: model.info.can.gradient ? 3 : 1 };
}

interface LayerValues {
  /** [T, F] */
  readonly values: Float32Array;
  readonly slopes: Float32Array | null;
}
type ReadLayers = (
  model: Model,
  tokens: Int32Array,
  sites: readonly Site[],
  target: ReturnType<ResolvedTarget['gradient']>,
  signal: AbortSignal | undefined,
) => Promise<(site: Site) => LayerValues>;

const withGradient: ReadLayers = async (model, tokens, sites, target, signal) => {
  const result = await model.gradient({ tokens, targets: [target], at: sites, capture: sites }, callOptions(signal));
  const gradients = result.targets[0]?.gradients ?? new Map<string, Tensor>();
  return (site) => ({
    values: finiteTensor(result.captured, site, '').data,
    slopes: finiteTensor(gradients, site, 'the gradient at ').data,
  });
};

const withoutGradient: ReadLayers = async (model, tokens, sites, _target, signal) => {
  const captured = await captureSites(model, { tokens, sites }, signal);
  return (site) => ({ values: captured(site), slopes: null });
};

/** Every neuron of a layer. */
function effectsIn(
  values: Float32Array,
  slopes: Float32Array | null,
  { layer, width, positions }: { readonly layer: number; readonly width: number; readonly positions: readonly number[] },
): NeuronEffect[] {
  return Array.from({ length: width }, (_, neuron) => {
    let [position, activation, effect] = [positions[0] ?? 0, 0, 0];
    for (const place of positions) {
      const value = values[place * width + neuron] as number;
      if (Math.abs(value) > Math.abs(activation)) [position, activation] = [place, value];
      if (slopes !== null) effect += value * (slopes[place * width + neuron] as number);
    }
    return { layer, neuron, position, activation, effect: slopes === null ? null : effect };
  });
}

/** Activations of one neuron at every position, [T]. @throws as `captureSites` */
export async function activationsOf(
  model: Model,
  tokens: Int32Array,
  { layer, neuron }: NeuronName,
  signal?: AbortSignal,
): Promise<Float32Array> {
  const site: Site = { kind: 'mlp_post', layer };
  const values = (await captureSites(model, { tokens, sites: [site] }, signal))(site);
  return Float32Array.from(tokens, (_, position) => values[position * model.info.neurons + neuron] as number);
}

/**
 * The target minus the target with the neuron at 0 at the given positions: one forward pass to read it, one without it.
 * @param clean the target on the unchanged prompt
 * @throws E_NUMERIC, and as `Model.forward`
 */
export async function effectOfAblation(
  model: Model,
  { ids, target, positions }: Pick<NeuronQuestion, 'ids' | 'target' | 'positions'>,
  name: NeuronName,
  clean: number,
  signal?: AbortSignal,
): Promise<number> {
  const tokens = withContinuation(ids, target.continuation);
  const activations = await activationsOf(model, tokens, name, signal);
  const width = model.info.neurons;
  const values = new Float32Array(positions.length * width);
  positions.forEach((position, row) => {
    values[row * width + name.neuron] = -(activations[position] as number);
  });
  const patch: Patch = { site: { kind: 'mlp_post', layer: name.layer }, positions, operation: { kind: 'add', values } };
  return clean - (await targetValue(model, ids, target, [patch], signal));
}

/** The target on the prompt, changed inside or not. @throws E_NUMERIC, and as `Model.forward` */
export async function targetValue(
  model: Model,
  ids: Int32Array,
  target: ResolvedTarget,
  patches: readonly Patch[] = [],
  signal?: AbortSignal,
): Promise<number> {
  const tokens = withContinuation(ids, target.continuation);
  const { read, nonFinite } = await model.forward({ tokens, read: target.reads(ids.length), patches }, callOptions(signal));
  const value = target.value(read);
  if (nonFinite !== null || !Number.isFinite(value)) throw numeric(nonFinite ?? 'the target');
  return value;
}
