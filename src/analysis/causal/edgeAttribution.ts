/**
 * Edge attribution patching (Syed et al. 2023, arXiv 2310.10348): a first-order estimate of what each message between two parts of the
 * model is worth, ⟨what the sender writes on the corrupted prompt − on the clean one, d target / d what the receiver reads⟩.
 * Receivers are heads (queries, keys and values together), MLPs and the logits; messages are summed over positions.
 */
import type { GradientTarget } from '../../model/gradient.ts';
import type { Model, Tensor } from '../../model/model.ts';
import { type LayerSite, type Site, siteName } from '../../model/sites.ts';
import { numeric } from '../../shared/errorCatalog.ts';
import { writeThrough } from '../activations/writeThrough.ts';
import type { LayerActivations } from './activationRows.ts';
import { activationsAt } from './componentPatch.ts';
import { type Component, depth, headsAndMlps } from './components.ts';

type Activations = ReadonlyMap<LayerSite, LayerActivations>;

export interface EdgeRequest {
  readonly model: Model;
  /** The clean prompt and its continuation, T in all. */
  readonly tokens: Int32Array;
  readonly target: GradientTarget;
  /** At `componentSites`. */
  readonly clean: Activations;
  readonly corrupt: Activations;
  /** The first position at which the runs differ. */
  readonly from: number;
  readonly signal: AbortSignal;
  readonly onLayer?: (done: number) => void;
}

export interface Edge {
  readonly from: Component;
  readonly to: Component;
  /** Estimated change of the target in the clean run when this message alone is the corrupted one, in the target's unit. */
  readonly score: number;
}

/** @throws E_NUMERIC, and as `Model.gradient` */
export async function edgeAttribution(
  request: EdgeRequest,
): Promise<{ readonly edges: Edge[]; readonly isLinear: boolean; readonly forwardPasses: number }> {
  const { model, signal } = request;
  const { layers } = model.info;
  const senders: Component[] = [{ kind: 'embed', layer: -1, head: -1 }, ...headsAndMlps(model.info)];
  const { written, isLinear, forwardPasses } = await messages(request);
  const readers = await readDirections(request);
  const edges: Edge[] = [];
  for (const { component: to, direction } of readers.readers) {
    signal.throwIfAborted();
    for (const [index, from] of senders.entries()) {
      if (depth(from, layers) >= depth(to, layers)) break;
      const score = inner(written[index] as Float32Array, direction);
      if (!Number.isFinite(score)) throw numeric('an edge score');
      edges.push({ from, to, score });
    }
  }
  return { edges, isLinear, forwardPasses: forwardPasses + readers.forwardPasses };
}

/** For the embedding and each part of `headsAndMlps`: corrupted − clean output in the residual stream, [T − from, D]. */
async function messages({ model, tokens, clean, corrupt, from, signal }: EdgeRequest) {
  const { layers, heads, headSize, hidden } = model.info;
  const length = tokens.length - from;
  const difference = (site: LayerSite, layer: number, width: number): Float32Array => {
    const values = new Float32Array(length * width);
    for (let position = 0; position < length; position++) {
      const own = activationsAt(clean, site).at(layer, from + position);
      const other = activationsAt(corrupt, site).at(layer, from + position);
      for (let index = 0; index < width; index++) {
        values[position * width + index] = (other[index] as number) - (own[index] as number);
      }
    }
    return values;
  };
  const width = heads * headSize;
  const inputs = Array.from({ length: layers }, (_, layer) => {
    const change = difference('z', layer, width);
    const rows = new Float32Array(heads * length * width);
    for (let row = 0; row < heads * length; row++) {
      const [start, position] = [Math.floor(row / length) * headSize, row % length];
      rows.set(change.subarray(position * width + start, position * width + start + headSize), row * width + start);
    }
    return { layer, rows };
  });
  const { outputs, isLinear } = await writeThrough(model, 'heads', inputs, signal);
  const written = outputs.flatMap((output, layer) => [
    ...Array.from({ length: heads }, (_, head) => output.subarray(head * length * hidden, (head + 1) * length * hidden)),
    difference('mlp_out', layer, hidden),
  ]);
  const forwardPasses = (heads * length) / tokens.length;
  return { written: [difference('resid_pre', 0, hidden), ...written], isLinear, forwardPasses };
}

interface Reader {
  readonly component: Component;
  /** [T − from, D] d target / d what it reads. */
  readonly direction: Float32Array;
}

/**
 * One backward pass gives the derivatives along the stream; what an MLP adds to them on the way back is its own input's. A head's input
 * is told apart from those of its layer by a second, short backward pass from its own z to the stream that enters the layer.
 */
async function readDirections({ model, tokens, target, from, signal, onLayer }: EdgeRequest) {
  const { layers, heads, headSize, hidden } = model.info;
  const each = Array.from({ length: layers }, (_, layer) => layer);
  const { targets } = await model.gradient(
    { tokens, targets: [target], at: each.flatMap((layer): Site[] => [z(layer), mid(layer), post(layer)]) },
    { signal },
  );
  const along = (site: Site) => gradientAt(targets[0]?.gradients, site);
  const part = (values: Float32Array) => values.subarray(from * hidden);
  const readers: Reader[] = [];
  let forwardPasses = 3;
  for (const layer of each) {
    const own = along(z(layer));
    const cotangents = Array.from({ length: heads }, (_, head): GradientTarget => {
      const values = own.map((value, at) => (Math.floor(at / headSize) % heads === head ? value : 0));
      return { kind: 'cotangent', site: z(layer), values };
    });
    const result = await model.gradient({ tokens, targets: cotangents, at: [{ kind: 'resid_pre', layer }] }, { signal });
    result.targets.forEach(({ gradients }, head) => {
      const direction = part(gradientAt(gradients, { kind: 'resid_pre', layer }));
      readers.push({ component: { kind: 'head', layer, head }, direction });
    });
    const behind = along(post(layer));
    const direction = part(along(mid(layer)).map((value, at) => value - (behind[at] as number)));
    readers.push({ component: { kind: 'mlp', layer, head: -1 }, direction });
    forwardPasses += (layer + 1 + 2 * heads) / layers;
    onLayer?.(layer + 1);
  }
  readers.push({ component: { kind: 'logits', layer: -1, head: -1 }, direction: part(along(post(layers - 1))) });
  return { readers, forwardPasses };
}

const z = (layer: number): Site => ({ kind: 'z', layer });
const mid = (layer: number): Site => ({ kind: 'resid_mid', layer });
const post = (layer: number): Site => ({ kind: 'resid_post', layer });

function gradientAt(gradients: ReadonlyMap<string, Tensor> | undefined, site: Site): Float32Array {
  const tensor = gradients?.get(siteName(site));
  if (tensor === undefined) throw numeric(`the gradient at ${siteName(site)}`);
  return tensor.data;
}

function inner(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let index = 0; index < a.length; index++) sum += (a[index] as number) * (b[index] as number);
  return sum;
}
