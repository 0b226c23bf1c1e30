export interface Sample {
  /** [scored units] whether each is replaced. */
  readonly marked: readonly boolean[];
  readonly prompt: Int32Array;
}

/**
 * [scored units] mean value of the samples that keep the unit minus mean of those that replace it: how much the target falls without it;
 * 0 where all samples are of one kind.
 * @param values of the first samples, as many as are known
 */
export function contrastsOf(places: number, samples: readonly Sample[], values: ArrayLike<number>): Float64Array {
  return Float64Array.from({ length: places }, (_, place) => {
    const sums = [0, 0];
    const counts = [0, 0];
    for (let sample = 0; sample < values.length; sample++) {
      const side = samples[sample]?.marked[place] === true ? 1 : 0;
      sums[side] = (sums[side] as number) + (values[sample] as number);
      counts[side] = (counts[side] as number) + 1;
    }
    const [without = 0, marked = 0] = counts;
    return without === 0 || marked === 0 ? 0 : (sums[0] as number) / without - (sums[1] as number) / marked;
  });
}
