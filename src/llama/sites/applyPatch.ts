/** Changes the selected part of a site in place. */
import type { Patch } from '../../model/model.ts';
import type { SiteLayout, SiteVectors } from '../../model/runtime/siteVectors.ts';

/** Visits the selected vectors in the site's own axis order: attention sites by head then query, others by position then head. */
function forEachVector(
  vectors: SiteVectors,
  layout: SiteLayout,
  { positions, heads }: Pick<Patch, 'positions' | 'heads'>,
  visit: (position: number, head: number) => void,
): void {
  const allPositions = positions ?? Array.from({ length: vectors.positions }, (_, index) => index);
  const allHeads = heads ?? Array.from({ length: vectors.heads }, (_, index) => index);
  if (layout === 'attention') {
    for (const head of allHeads) for (const position of allPositions) visit(position, head);
  } else {
    for (const position of allPositions) for (const head of allHeads) visit(position, head);
  }
}

/** `values` must have `patchedNumbers` numbers; positions and heads must exist. */
export function applyPatch(vectors: SiteVectors, layout: SiteLayout, patch: Patch): void {
  const { raw, width } = vectors;
  const { operation } = patch;
  let taken = 0;
  forEachVector(vectors, layout, patch, (position, head) => {
    const start = vectors.offset(position, head);
    switch (operation.kind) {
      case 'overwrite':
        raw.set(operation.values.subarray(taken, taken + width), start);
        break;
      case 'add':
        for (let index = 0; index < width; index++) {
          raw[start + index] = (raw[start + index] as number) + (operation.values[taken + index] as number);
        }
        break;
      case 'scale':
        for (let index = 0; index < width; index++) raw[start + index] = (raw[start + index] as number) * operation.factor;
        break;
      case 'zero':
        raw.fill(0, start, start + width);
        break;
      case 'hide':
        for (const key of operation.keys) if (key !== position) raw[start + key] = Number.NEGATIVE_INFINITY;
        break;
      case 'mean':
        // The means must come from the unpatched values, so they are taken below, per head.
        break;
    }
    taken += width;
  });
  if (operation.kind === 'mean') meanAblation(vectors, layout, patch);
}

function meanAblation(vectors: SiteVectors, layout: SiteLayout, patch: Patch): void {
  const means = new Map<number, Float32Array>();
  forEachVector(vectors, layout, patch, (_, head) => {
    if (!means.has(head)) means.set(head, meanOverPositions(vectors, head));
  });
  forEachVector(vectors, layout, patch, (position, head) => {
    vectors.raw.set(means.get(head) ?? [], vectors.offset(position, head));
  });
}

/** [width] */
function meanOverPositions({ raw, positions, width, offset }: SiteVectors, head: number): Float32Array {
  const sums = new Float64Array(width);
  for (let position = 0; position < positions; position++) {
    const start = offset(position, head);
    for (let index = 0; index < width; index++) sums[index] = (sums[index] as number) + (raw[start + index] as number);
  }
  return Float32Array.from(sums, (sum) => sum / positions);
}
