/** What a gradient's session is given beside the tokens: where the target begins, a cotangent, input embeddings. */
import { elementTypes } from '../graph/graph.ts';
import type { TensorValue } from '../runtime/tensorValue.ts';
import { type OnnxSite, positionAxis, siteVectors } from '../sites/onnxSite.ts';
import { planPatches } from '../sites/patchPlan.ts';
import type { OnnxEvaluator } from './evaluator.ts';
import { seedInput, shareInput } from './gradientGraph.ts';
import type { RowSeeds } from './gradientSeed.ts';

/**
 * Where the target begins, in the rows of logits that are computed.
 * @param rows their positions
 */
export function seedFeeds(
  { info, sequences, width }: OnnxEvaluator,
  seeds: RowSeeds,
  rows: readonly number[],
): Record<string, TensorValue> {
  // A model with a task has one row, whichever positions were named.
  const direct = info.task === undefined ? new Float32Array(rows.length * width) : sumRows(seeds.direct, width);
  const shares = info.task === undefined ? new Float32Array(rows.length) : sumRows(seeds.shares, 1);
  if (info.task === undefined) {
    for (const [index, position] of seeds.rows.entries()) {
      const place = rows.indexOf(position);
      direct.set(seeds.direct.subarray(index * width, (index + 1) * width), place * width);
      shares[place] = seeds.shares[index] as number;
    }
  }
  const outer = info.task === undefined ? [sequences, rows.length] : [sequences];
  const first = (values: Float32Array) => {
    const all = new Float32Array(values.length * sequences);
    all.set(values);
    return all;
  };
  return {
    [seedInput]: { type: elementTypes.float32, dims: [...outer, width], data: first(direct) },
    [shareInput]: { type: elementTypes.float32, dims: [...outer, 1], data: first(shares) },
  };
}

function sumRows(values: Float32Array, width: number): Float32Array {
  const sum = new Float32Array(width);
  values.forEach((value, index) => {
    sum[index % width] = (sum[index % width] as number) + value;
  });
  return sum;
}

export function embeddingFeeds(
  embed: OnnxSite,
  values: Float32Array,
  tokens: number,
  length: number,
): Record<string, TensorValue> {
  const positions = Array.from({ length: tokens }, (_, position) => position);
  const patch = { site: { kind: 'embed' as const }, positions, operation: { kind: 'overwrite' as const, values } };
  return planPatches([{ site: embed, patch }], () => [embed], length).feeds;
}

/** Values of a site in the tensor's own axes; nothing at the fillers and in further sequences. */
export function siteFeed(
  name: string,
  site: OnnxSite,
  values: Float32Array,
  tokens: number,
  dims: readonly number[],
): Record<string, TensorValue> {
  const data = new Float32Array(dims.reduce((product, size) => product * size, 1));
  const vectors = siteVectors(site, data, tokens, dims[positionAxis(site.layout)]);
  let taken = 0;
  const put = (position: number, head: number) => {
    data.set(values.subarray(taken, taken + vectors.width), vectors.offset(position, head));
    taken += vectors.width;
  };
  if (site.layout === 'attention') {
    for (let head = 0; head < vectors.heads; head++) for (let query = 0; query < tokens; query++) put(query, head);
  } else {
    for (let position = 0; position < tokens; position++) for (let head = 0; head < vectors.heads; head++) put(position, head);
  }
  return { [name]: { type: elementTypes.float32, dims, data } };
}
