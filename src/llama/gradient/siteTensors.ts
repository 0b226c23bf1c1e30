/** Between our sites and the tensors of a recorded pass: shapes, rows that were left out, padding, the scale of scores. */
import type { Tensor } from '../../model/model.ts';
import type { SiteNode } from '../graph/siteTable.ts';
import { float32, type TensorHeader } from '../graph/tensorHeader.ts';
import { wholeSite } from '../../model/runtime/captureTensor.ts';
import { TensorVectors } from '../sites/siteData.ts';
import type { Tape, TapeNode } from './tape/tape.ts';

/** A site in one recorded pass. */
export interface TapeSite extends SiteNode {
  readonly tapeNode: TapeNode;
}

/** @throws Error when the graph is not the surveyed one */
export function siteOnTape(site: SiteNode, tape: Tape): TapeSite {
  const tapeNode = tape.nodes[site.node.index];
  if (tapeNode === undefined || tapeNode.header.name !== site.node.name || tapeNode.operator !== site.node.operator) {
    throw new Error(`the graph changed: ${site.site} should be ${site.node.name}, found ${tapeNode?.header.name ?? 'nothing'}`);
  }
  return { ...site, tapeNode };
}

/** A gradient, contiguous in the axes of its node, as the site's tensor. */
export function siteGradient(site: TapeSite, tape: Tape, raw: Float32Array): Tensor {
  const tensor = siteValue(site, tape, { header: contiguousHeader(site.tapeNode.header), raw });
  // The node holds scores before the factor of the softmax: d / d (factor · x) = (d / dx) / factor.
  const factor = scoreFactor(site);
  return factor === 1 ? tensor : { shape: tensor.shape, data: tensor.data.map((value) => value / factor) };
}

/** A forward value as the site's tensor; `header` says how `raw` lies in memory. Scores are scaled and masked as the softmax sees them. */
export function siteValue(
  site: TapeSite,
  tape: Tape,
  { header, raw }: { readonly header: TensorHeader; readonly raw: Float32Array },
): Tensor {
  const vectors = new TensorVectors(header, site.layout, site.heads, tape.tokens);
  const tensor = wholeSite(vectors.over(raw), site.layout);
  if (site.layout !== 'rows' || header.ne[1] === tape.tokens) return tensor;
  const width = header.ne[0];
  const data = new Float32Array(tape.tokens * width);
  tape.outputs.forEach((position, row) => data.set(tensor.data.subarray(row * width, (row + 1) * width), position * width));
  return { shape: [tape.tokens, width], data };
}

/** Scores as the softmax is about to take them: scaled, −∞ where the mask forbids a key. */
export function scoresAsSeen(site: TapeSite, tape: Tape, { shape, data }: Tensor): Tensor {
  const factor = scoreFactor(site);
  const scaled = data.map((value) => value * factor);
  const softmax = site.softmax === null ? undefined : tape.nodes[site.softmax.index];
  const mask = softmax?.sources[1];
  if (mask === undefined || mask === null || mask.kind === 'node' || mask.bytes === null) return { shape, data: scaled };
  const [, size = 0] = shape;
  const forbidden = forbiddenKeys(mask.header, mask.bytes);
  for (let index = 0; index < scaled.length; index++) {
    if (forbidden(Math.floor(index / size) % size, index % size)) scaled[index] = Number.NEGATIVE_INFINITY;
  }
  return { shape, data: scaled };
}

/** A cotangent in the site's shape, as the node's tensor lies in memory without gaps. */
export function nodeCotangent(site: TapeSite, tape: Tape, values: Float32Array): Float32Array {
  const { ne } = site.tapeNode.header;
  if (site.layout === 'attention') {
    const factor = scoreFactor(site);
    const [keys, queries, heads] = ne;
    const raw = new Float32Array(keys * queries * heads);
    for (let row = 0; row < queries * heads; row++) {
      for (let key = 0; key < tape.tokens; key++) {
        raw[row * keys + key] = (values[row * tape.tokens + key] as number) * factor;
      }
    }
    return raw;
  }
  if (site.layout !== 'rows' || ne[1] === tape.tokens) return values;
  const width = ne[0];
  const raw = new Float32Array(ne[1] * width);
  tape.outputs.forEach((position, row) => raw.set(values.subarray(position * width, (position + 1) * width), row * width));
  return raw;
}

function scoreFactor({ softmax }: SiteNode): number {
  return softmax?.parameters[0] ?? 1;
}

/** The same axes without gaps. */
function contiguousHeader(header: TensorHeader): TensorHeader {
  const [x, y, z] = header.ne;
  return { ...header, nb: [4, 4 * x, 4 * x * y, 4 * x * y * z] };
}

/** Mask [keys, queries], F32 or F16, −∞ = forbidden. */
function forbiddenKeys({ type, nb }: TensorHeader, bytes: Uint8Array): (query: number, key: number) => boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const minusInfinityF16 = 0xfc00;
  return (query, key) => {
    const place = query * nb[1] + key * nb[0];
    return type === float32
      ? view.getFloat32(place, true) === Number.NEGATIVE_INFINITY
      : view.getUint16(place, true) === minusInfinityF16;
  };
}
