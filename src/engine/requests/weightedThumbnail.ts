import type { Tensor } from '../../model/model.ts';

/**
 * Each head small: of each block of queries × keys the value of largest magnitude, with its sign.
 * @param weighted [heads, query, key]
 * @returns [heads, size, size]
 */
export function weightedThumbnail({ shape, data }: Tensor, size: number): Float32Array {
  const [heads = 0, length = 0] = shape;
  const small = new Float32Array(heads * size * size);
  const block = Int32Array.from({ length }, (_, at) => Math.floor((at * size) / length));
  for (let row = 0; row < heads * length; row++) {
    const start = (Math.floor(row / length) * size + (block[row % length] as number)) * size;
    for (let key = 0; key < length; key++) {
      const place = start + (block[key] as number);
      const value = data[row * length + key] as number;
      if (Math.abs(value) > Math.abs(small[place] as number)) small[place] = value;
    }
  }
  return small;
}
