import type { Model, Tensor } from '../../model/model.ts';
import type { Site } from '../../model/sites.ts';
import { numeric, siteUnknown } from '../../shared/errorCatalog.ts';
import type { AttributionOptions } from '../method.ts';
import { type GradientInput, type PromptGradient, promptGradient, wholeSequence } from '../gradient/promptGradient.ts';

const finalNorm = { kind: 'final_norm' } as const;
const embed = { kind: 'embed' } as const;

export interface FinalDirection {
  /** [T, D]: ⟨direction, anything in the residual stream at that position⟩ is its part in the target. */
  readonly direction: Float32Array;
  /** Positions at which it is not 0: those the target reads. */
  readonly rows: readonly number[];
  /** What the parts add up to together with `bias`: ⟨d target / d final_norm, final_norm⟩, the logit itself where the target is one. */
  readonly total: number;
  /** What the last norm adds whatever the stream holds. */
  readonly bias: number;
  /** The embeddings' part at each position, [T]. */
  readonly embedding: Float64Array;
  readonly result: PromptGradient;
  readonly forwardPasses: number;
}

/**
 * The target as a direction in the residual stream behind the last layer, with the scale of the last norm held fast, as direct logit
 * attribution does. With u = d target / d final_norm and g = d target / d x, the gradient through a norm is the wanted direction with the
 * part along x (for a LayerNorm: along x minus its mean) taken out, so that part is put back: direction = g + k x, with k such that
 * ⟨direction, x⟩ + bias = ⟨u, final_norm⟩. No weight is read.
 * @throws as `promptGradient`
 */
export async function finalDirection(input: GradientInput, options: AttributionOptions): Promise<FinalDirection> {
  const { model } = input;
  const last: Site = { kind: 'resid_post', layer: model.info.layers - 1 };
  const sites = [finalNorm, last];
  const result = await promptGradient(input, { at: sites, capture: [...sites, embed] }, options);
  const [u, g] = [result.gradient(finalNorm), result.gradient(last)];
  const [norm, stream, embedded] = [result.captured(finalNorm), result.captured(last), result.captured(embed)];
  const width = model.info.hidden;
  const length = stream.data.length / width;
  const rows = Array.from({ length }, (_, row) => row).filter((row) => rowOf(u, row, width).some((value) => value !== 0));
  const centred = rows.every((row) => isCentred(rowOf(g, row, width)));
  // A LayerNorm gives its bias where the stream is 0; an RMSNorm has none.
  const biases = centred ? await normOfZeros(model, wholeSequence(input), last, options) : null;
  const direction = new Float32Array(stream.data.length);
  let [total, bias] = [0, 0];
  for (const row of rows) {
    const x = rowOf(stream, row, width);
    const mean = centred ? sum(x) / width : 0;
    const along = x.map((value) => value - mean);
    const wanted = inner(rowOf(u, row, width), rowOf(norm, row, width));
    const fromBias = biases === null ? 0 : inner(rowOf(u, row, width), rowOf(biases, row, width));
    const slope = rowOf(g, row, width);
    const length = inner(along, x);
    const k = length === 0 ? 0 : (wanted - fromBias - inner(slope, x)) / length;
    direction.set(
      slope.map((value, d) => value + k * (along[d] as number)),
      row * width,
    );
    total += wanted;
    bias += fromBias;
  }
  const embedding = Float64Array.from({ length }, (_, row) =>
    inner(rowOf(embedded, row, width), direction.subarray(row * width)),
  );
  return { direction, rows, total, bias, embedding, result, forwardPasses: result.forwardPasses + (centred ? 1 : 0) };
}

/** The last norm of a stream of zeros, [T, D]. */
async function normOfZeros(model: Model, tokens: Int32Array, last: Site, { signal }: AttributionOptions): Promise<Tensor> {
  const { captured, nonFinite } = await model.forward(
    { tokens, capture: [{ site: finalNorm }], patches: [{ site: last, operation: { kind: 'zero' } }] },
    signal === undefined ? {} : { signal },
  );
  if (nonFinite !== null) throw numeric(nonFinite);
  const tensor = captured.get('final_norm');
  if (tensor === undefined) throw siteUnknown('final_norm', 'the model did not give it', [...captured.keys()]);
  return tensor;
}

/** Whether a gradient through a norm adds up to 0, as it does where the norm takes the mean away. */
function isCentred(gradient: Float32Array): boolean {
  return Math.abs(sum(gradient)) < 1e-4 * gradient.reduce((total, value) => total + Math.abs(value), 0);
}

function rowOf({ data }: Tensor, row: number, width: number): Float32Array {
  return data.subarray(row * width, (row + 1) * width);
}

function sum(values: Float32Array): number {
  return values.reduce((total, value) => total + value, 0);
}

/** ⟨a, b⟩ over the length of `a`. */
export function inner(a: Float32Array, b: Float32Array): number {
  let total = 0;
  for (let d = 0; d < a.length; d++) total += (a[d] as number) * (b[d] as number);
  return total;
}
