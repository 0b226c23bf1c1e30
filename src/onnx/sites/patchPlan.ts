/** From the patches of a request to selectors, and to what is fed into them. */
import type { Patch } from '../../model/model.ts';
import { elementTypes } from '../graph/graph.ts';
import type { TensorValue } from '../runtime/tensorValue.ts';
import { type OnnxSite, siteVectors, tensorDims } from './onnxSite.ts';
import { maskInput, type StagedTensor, type StageKind, valueInput } from './patchStages.ts';

export interface SitePatch {
  readonly site: OnnxSite;
  readonly patch: Patch;
}

export interface PatchPlan {
  /** Says which selectors there are: requests with the same key share a session. */
  readonly key: string;
  readonly staged: readonly StagedTensor[];
  readonly feeds: Readonly<Record<string, TensorValue>>;
}

/**
 * Selectors stand in every layer of a patched kind of site, so that patching one layer after another needs one session.
 * @param alike all sites of the same kind, one a layer
 */
export function planPatches(
  patches: readonly SitePatch[],
  alike: (site: OnnxSite) => readonly OnnxSite[],
  tokens: number,
): PatchPlan {
  const byTensor = new Map<string, SitePatch[]>();
  for (const each of patches) {
    const own = byTensor.get(each.site.tensor);
    if (own === undefined) byTensor.set(each.site.tensor, [each]);
    else own.push(each);
  }
  const stagesOf = new Map<string, { readonly site: OnnxSite; stages: StageKind[] }>();
  const keys = new Set<string>();
  for (const own of byTensor.values()) {
    const wanted = own.map(({ patch }) => stageKind(patch));
    for (const site of alike((own[0] as SitePatch).site)) {
      const known = stagesOf.get(site.tensor);
      if (known === undefined) stagesOf.set(site.tensor, { site, stages: [...wanted] });
      else known.stages = supersequence(known.stages, wanted);
    }
  }
  const staged: StagedTensor[] = [];
  const feeds: Record<string, TensorValue> = {};
  for (const { site, stages } of stagesOf.values()) {
    staged.push({ tensor: site.tensor, layout: site.layout, stages });
    keys.add(`${site.tensor}:${stages.join('+')}`);
    const waiting = [...(byTensor.get(site.tensor) ?? [])];
    stages.forEach((kind, stage) => {
      const next = waiting[0];
      const active = next !== undefined && stageKind(next.patch) === kind ? waiting.shift() : undefined;
      const rank = tensorDims(site, 1).length;
      feeds[maskInput(site.tensor, stage)] = active === undefined ? falseMask(rank) : mask(active, tokens);
      if (kind !== 'mean') {
        feeds[valueInput(site.tensor, stage)] = active === undefined ? scalar(rank, 0) : value(active, tokens, rank);
      }
    });
  }
  return { key: [...keys].sort().join(' '), staged, feeds };
}

function stageKind({ operation: { kind } }: Patch): StageKind {
  if (kind === 'add' || kind === 'scale' || kind === 'mean') return kind;
  return 'set';
}

/** A sequence that holds both as subsequences. */
function supersequence(first: readonly StageKind[], second: readonly StageKind[]): StageKind[] {
  const merged = [...first];
  let place = 0;
  for (const kind of second) {
    const found = merged.indexOf(kind, place);
    if (found < 0) merged.push(kind);
    place = found < 0 ? merged.length : found + 1;
  }
  return merged;
}

/** Visits the selected vectors in the site's own axis order: attention sites by head then query, others by position then head. */
function forEachVector(
  { site, patch }: SitePatch,
  tokens: number,
  visit: (start: number, width: number, position: number) => void,
): void {
  const vectors = siteVectors(site, new Float32Array(0), tokens);
  const positions = patch.positions ?? Array.from({ length: tokens }, (_, index) => index);
  const heads = patch.heads ?? Array.from({ length: vectors.heads }, (_, index) => index);
  const one = (position: number, head: number) => visit(vectors.offset(position, head), vectors.width, position);
  if (site.layout === 'attention') for (const head of heads) for (const position of positions) one(position, head);
  else for (const position of positions) for (const head of heads) one(position, head);
}

function mask(each: SitePatch, tokens: number): TensorValue {
  const dims = tensorDims(each.site, tokens);
  const { operation } = each.patch;
  const data = new Uint8Array(size(dims));
  forEachVector(each, tokens, (start, width, position) => {
    if (operation.kind !== 'hide') data.fill(1, start, start + width);
    else for (const key of operation.keys) if (key !== position) data[start + key] = 1;
  });
  return { type: elementTypes.bool, dims, data };
}

function value(each: SitePatch, tokens: number, rank: number): TensorValue {
  const { operation } = each.patch;
  switch (operation.kind) {
    case 'scale':
      return scalar(rank, operation.factor);
    case 'hide':
      return scalar(rank, Number.NEGATIVE_INFINITY);
    case 'overwrite':
    case 'add': {
      const dims = tensorDims(each.site, tokens);
      const data = new Float32Array(size(dims));
      let taken = 0;
      forEachVector(each, tokens, (start, width) => {
        data.set(operation.values.subarray(taken, taken + width), start);
        taken += width;
      });
      return { type: elementTypes.float32, dims, data };
    }
    default:
      return scalar(rank, 0);
  }
}

function falseMask(rank: number): TensorValue {
  return { type: elementTypes.bool, dims: ones(rank), data: new Uint8Array(1) };
}

function scalar(rank: number, number: number): TensorValue {
  return { type: elementTypes.float32, dims: ones(rank), data: Float32Array.of(number) };
}

function ones(rank: number): number[] {
  return Array.from({ length: rank }, () => 1);
}

function size(dims: readonly number[]): number {
  return dims.reduce((product, dim) => product * dim, 1);
}
