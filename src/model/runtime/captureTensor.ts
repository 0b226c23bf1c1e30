/** Turns a site's raw tensor into what a capture returns. */
import type { PatternReduction, Tensor } from '../model.ts';
import type { SiteLayout, SiteVectors } from './siteVectors.ts';

/** The whole site, in the shape `sites.ts` documents, without padding. */
export function wholeSite(vectors: SiteVectors, layout: SiteLayout): Tensor {
  const { positions, heads, width } = vectors;
  const data = new Float32Array(positions * heads * width);
  let end = 0;
  const copy = (position: number, head: number) => {
    const start = vectors.offset(position, head);
    data.set(vectors.raw.subarray(start, start + width), end);
    end += width;
  };
  if (layout === 'attention') {
    for (let head = 0; head < heads; head++) for (let query = 0; query < positions; query++) copy(query, head);
    return { shape: [heads, positions, width], data };
  }
  for (let position = 0; position < positions; position++) for (let head = 0; head < heads; head++) copy(position, head);
  return { shape: layout === 'rows' ? [positions, width] : [positions, heads, width], data };
}

/** A reduced attention pattern; for `head`, `vectors` holds that head alone. */
export function reducedPattern(vectors: SiteVectors, reduction: PatternReduction): Tensor {
  switch (reduction.kind) {
    case 'head-mean':
      return headMean(vectors);
    case 'head': {
      const { shape, data } = wholeSite(vectors, 'attention');
      return { shape: shape.slice(1), data };
    }
    case 'thumbnail':
      return thumbnails(vectors, reduction.size);
  }
}

/** [query, key] */
function headMean({ raw, positions, heads, width, offset }: SiteVectors): Tensor {
  const data = new Float32Array(positions * width);
  for (let query = 0; query < positions; query++) {
    const row = query * width;
    for (let head = 0; head < heads; head++) {
      const start = offset(query, head);
      for (let key = 0; key < width; key++) data[row + key] = (data[row + key] as number) + (raw[start + key] as number);
    }
  }
  for (let index = 0; index < data.length; index++) data[index] = (data[index] as number) / heads;
  return { shape: [positions, width], data };
}

/** [heads, size, size]: the maximum over each block of queries × keys. */
function thumbnails({ raw, positions, heads, width, offset }: SiteVectors, wanted: number): Tensor {
  const size = Math.max(1, Math.min(Math.floor(wanted), positions));
  const data = new Float32Array(heads * size * size).fill(Number.NEGATIVE_INFINITY);
  // Block of each key, worked out once.
  const column = Int32Array.from({ length: width }, (_, key) => Math.floor((key * size) / width));
  for (let head = 0; head < heads; head++) {
    for (let query = 0; query < positions; query++) {
      const row = (head * size + Math.floor((query * size) / positions)) * size;
      const start = offset(query, head);
      for (let key = 0; key < width; key++) {
        const place = row + (column[key] as number);
        const value = raw[start + key] as number;
        if (!(value <= (data[place] as number))) data[place] = value;
      }
    }
  }
  return { shape: [heads, size, size], data };
}
